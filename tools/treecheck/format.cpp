// SPDX-License-Identifier: Apache-2.0
#include "treecheck/format.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "treecheck/tree.hpp"

namespace infiniedge::treecheck {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "clang-format-19";

bool succeeds(const std::string& command) { return std::system(command.c_str()) == 0; }

std::string quoted(const fs::path& path) {
  std::string out{"'"};
  for (const char c : path.string()) out += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return out + "'";
}

}  // namespace

Formatted check_format(const fs::path& root) {
  if (!succeeds(std::string{"command -v "} + kProgram + " > /dev/null")) return Formatted::Unknown;
  const auto list =
      fs::temp_directory_path() / ("treecheck-format-" + std::to_string(::getpid()) + ".txt");
  {
    std::ofstream out(list);
    for (const auto& file : project_files(root)) {
      if (is_cpp(file)) out << file << '\n';
    }
  }
  const bool clean = succeeds("cd " + quoted(root) + " && " + kProgram +
                              " --dry-run -Werror --style=file --files=" + quoted(list));
  fs::remove(list);
  return clean ? Formatted::Yes : Formatted::No;
}

}  // namespace infiniedge::treecheck
