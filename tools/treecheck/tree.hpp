// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::treecheck {

/// One offence against a rule of the house: where, and what to do about it.
struct Finding {
  std::string file;      ///< Relative to the root, with slashes.
  std::size_t line = 0;  ///< From 1; 0 means the file or folder as a whole.
  std::string message;
};

using Findings = std::vector<Finding>;

/// `src/store/wal.cpp:12: ...`, as compilers and editors write it.
std::string to_string(const Finding& finding);

/// Files of the project below `root`, relative and sorted. Hidden folders, builds, downloads
/// and the trees that are wrong on purpose (testdata) are left out.
std::vector<std::string> project_files(const std::filesystem::path& root);

/// Whole content; empty for a file that cannot be read.
std::string read_file(const std::filesystem::path& file);

/// Number of lines, counting a last one without its line feed.
std::size_t count_lines(std::string_view text);

/// Calls `visit(number, line)` for each line, from 1, without line feeds.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    visit(number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// One of .cpp .hpp .h.
bool is_cpp(std::string_view file);

/// `src/store/wal.cpp` gives `store`; empty outside src/.
std::string_view module_of(std::string_view file);

}  // namespace infiniedge::treecheck
