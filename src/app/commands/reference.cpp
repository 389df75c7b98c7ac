// SPDX-License-Identifier: Apache-2.0
// reference: writes docs/reference, or says what there is out of date.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/commands/command.hpp"
#include "app/exit_code.hpp"
#include "app/reference/pages.hpp"

namespace infiniedge::app {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Number of the first line that differs.
std::size_t first_difference(const std::string& a, const std::string& b) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i)
    line += a[i] == '\n' ? 1 : 0;
  return line;
}

int check(const std::string& folder) {
  int exit = 0;
  for (const auto& page : reference_pages()) {
    const auto path = folder + "/" + page.file;
    const auto there = text_of(path);
    if (there == page.text) continue;
    fmt::print(stderr, "{}:{}: differs from what this binary says\n", path,
               first_difference(there, page.text));
    exit = 1;
  }
  if (exit != 0) fmt::print(stderr, "   help: infiniedge reference {}\n", folder);
  return exit;
}

}  // namespace

int run_reference(const Call& call) {
  if (call.arguments.size() != 1)
    return fail_with({Code::Invalid, "reference takes the folder of the pages"}, Input::Arguments);
  const auto& folder = call.arguments[0];
  if (call.has("--check")) return check(folder);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& page : reference_pages()) {
    std::ofstream file(folder + "/" + page.file, std::ios::binary);
    if (!(file << page.text).flush())
      return fail_with({Code::Exhausted, fmt::format("cannot write {}/{}", folder, page.file)});
  }
  return 0;
}

}  // namespace infiniedge::app
