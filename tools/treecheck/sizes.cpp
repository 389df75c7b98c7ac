// SPDX-License-Identifier: Apache-2.0
#include "treecheck/sizes.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "treecheck/functions.hpp"

namespace infiniedge::treecheck {
namespace {

bool ends_with_any(std::string_view file, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](auto ending) { return file.ends_with(ending); });
}

bool is_measured(std::string_view file) {
  return is_cpp(file) || ends_with_any(file, {".ts", ".tsx"});
}

bool needs_licence(std::string_view file) {
  return is_measured(file) ||
         ends_with_any(file, {".mjs", ".js", ".css", ".py", ".sh", ".cmake", "CMakeLists.txt"});
}

bool has_licence(std::string_view text) {
  auto line = text.substr(0, text.find('\n'));
  if (line.starts_with("#!")) {
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = text.substr(0, text.find('\n'));
  }
  return line.find("SPDX-License-Identifier: Apache-2.0") != std::string_view::npos;
}

std::string too_long(std::string_view what, std::size_t lines, std::size_t limit) {
  return std::string{what} + " has " + std::to_string(lines) + " lines, the limit is " +
         std::to_string(limit);
}

}  // namespace

Findings check_source(std::string_view file, std::string_view text) {
  Findings findings;
  const std::string name{file};
  if (needs_licence(file) && !has_licence(text)) {
    findings.push_back({name, 1, "the first line must hold `SPDX-License-Identifier: Apache-2.0`"});
  }
  if (!is_measured(file)) return findings;

  const bool contract = file.starts_with("include/infiniedge/");
  const auto limit = contract ? kLongestContract : kLongestFile;
  const auto lines = count_lines(text);
  const auto kind = contract ? "contract header" : "file";
  if (lines > limit) findings.push_back({name, 0, too_long(kind, lines, limit)});
  if (!is_cpp(file)) return findings;

  for (const auto& function : find_functions(text)) {
    if (function.lines <= kLongestFunction) continue;
    const auto what = "function `" + function.signature + "`";
    findings.push_back({name, function.line, too_long(what, function.lines, kLongestFunction)});
  }
  return findings;
}

Findings check_name(std::string_view file) {
  constexpr std::array<std::string_view, 10> kEmpty{"util",    "utils",   "common",   "helper",
                                                    "helpers", "manager", "managers", "misc",
                                                    "stuff",   "general"};
  for (const auto& part : std::filesystem::path{file}) {
    const auto stem = part.stem().string();
    if (std::ranges::find(kEmpty, stem) == kEmpty.end()) continue;
    return {{std::string{file}, 0, "the name `" + stem + "` says nothing; name what is inside"}};
  }
  return {};
}

Findings check_sizes(const std::filesystem::path& root) {
  Findings findings;
  std::set<std::string> modules;
  const auto add = [&](Findings more) {
    findings.insert(findings.end(), more.begin(), more.end());
  };
  for (const auto& file : project_files(root)) {
    add(check_name(file));
    if (needs_licence(file)) add(check_source(file, read_file(root / file)));
    if (const auto module = module_of(file); !module.empty()) modules.emplace(module);
  }
  for (const auto& module : modules) {
    const auto readme = "src/" + module + "/README.md";
    if (count_lines(read_file(root / readme)) >= 3) continue;
    add({{readme, 0, "a module's README has three lines: what enters, what never, which thread"}});
  }
  return findings;
}

}  // namespace infiniedge::treecheck
