// SPDX-License-Identifier: Apache-2.0
#include "treecheck/tree.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace infiniedge::treecheck {
namespace {

namespace fs = std::filesystem;

bool is_foreign(const fs::path& folder) {
  constexpr std::array<std::string_view, 6> kNames{"build",    "dist",         "node_modules",
                                                   "testdata", "test-results", "__pycache__"};
  const auto name = folder.filename().string();
  return name.starts_with('.') || std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

std::string to_string(const Finding& finding) {
  auto text = finding.file;
  if (finding.line != 0) text += ":" + std::to_string(finding.line);
  return text + ": " + finding.message;
}

std::vector<std::string> project_files(const fs::path& root) {
  std::vector<std::string> files;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(root, options), end; at != end; ++at) {
    if (at->is_symlink()) continue;
    if (at->is_directory()) {
      if (is_foreign(at->path())) at.disable_recursion_pending();
    } else if (at->is_regular_file()) {
      files.push_back(at->path().lexically_relative(root).generic_string());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t count_lines(std::string_view text) {
  const auto feeds = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return feeds + (text.empty() || text.ends_with('\n') ? 0 : 1);
}

bool is_cpp(std::string_view file) {
  return file.ends_with(".cpp") || file.ends_with(".hpp") || file.ends_with(".h");
}

std::string_view module_of(std::string_view file) {
  constexpr std::string_view kSource = "src/";
  if (!file.starts_with(kSource)) return {};
  file.remove_prefix(kSource.size());
  const auto slash = file.find('/');
  return slash == std::string_view::npos ? std::string_view{} : file.substr(0, slash);
}

}  // namespace infiniedge::treecheck
