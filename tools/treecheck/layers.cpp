// SPDX-License-Identifier: Apache-2.0
#include "treecheck/layers.hpp"

#include <array>
#include <sstream>
#include <vector>

namespace infiniedge::treecheck {
namespace {

// The module rule of ARCHITECTURE.md. Each row may include the rows above it; the modules of one
// row never include each other.
const std::vector<std::vector<std::string_view>> kRule{
    {"base"},
    {"runtime"},
    {"record"},
    {"device", "stream", "model", "store", "govern"},
    {"decision", "sync", "mesh", "learn"},
    {"agent", "hub", "api", "bench"},
    {"app"},
};

constexpr std::string_view kContract = "infiniedge";
constexpr std::string_view kBuiltin = "src/app/builtin.cpp";

/// Everything that a module links: its declared dependencies and theirs.
std::set<std::string> closure(const std::string& module, const Modules& modules) {
  std::set<std::string> seen;
  std::vector<std::string> open{module};
  while (!open.empty()) {
    const auto name = open.back();
    open.pop_back();
    const auto found = modules.find(name);
    if (found == modules.end()) continue;
    for (const auto& dependency : found->second) {
      if (seen.insert(dependency).second) open.push_back(dependency);
    }
  }
  return seen;
}

/// Why `from` may not lean on `to`; empty if it may.
std::string objection(std::string_view from, std::string_view to) {
  const auto from_rank = rank_of(from);
  const auto to_rank = rank_of(to);
  const auto pair = std::string{from} + " may not use " + std::string{to};
  if (!to_rank) return pair + ": no such module";
  if (!from_rank) return std::string{from} + " has no place in the module rule";
  if (*to_rank < *from_rank) return {};
  if (*to_rank == *from_rank) return pair + ": siblings meet only through include/infiniedge/";
  return pair + ": it stands further right in the module rule";
}

struct Include {
  std::string_view path;
  bool quoted;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

std::optional<Include> parse_include(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = trimmed(line.substr(1));
  if (!line.starts_with("include")) return std::nullopt;
  line = trimmed(line.substr(7));
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const auto end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{line.substr(1, end - 1), quoted};
}

bool tests_a_feature(std::string_view line) {
  line = trimmed(line);
  return line.starts_with('#') && line.find("if") != std::string_view::npos &&
         line.find("INFINIEDGE_WITH_") != std::string_view::npos;
}

std::string check_target(std::string_view file, const Include& include, const Modules& modules) {
  const auto slash = include.path.find('/');
  const auto target = include.path.substr(0, slash);
  if (target == kContract) {
    return include.quoted ? ""
                          : "write our own headers in quotes: \"" + std::string{include.path} + '"';
  }
  if (!include.quoted) return {};
  if (slash == std::string_view::npos || include.path.starts_with('.')) {
    return "write the path from src/ or include/, as in \"store/log.hpp\", not \"" +
           std::string{include.path} + '"';
  }
  const auto module = module_of(file);
  if (module.empty()) {
    return "a contract header includes the standard library, outside libraries and its neighbours, "
           "never " +
           std::string{target};
  }
  if (target == module) return {};
  if (auto reason = objection(module, target); !reason.empty()) return reason;
  if (!modules.contains(module)) return {};  // Reported once, for the module as a whole.
  if (closure(std::string{module}, modules).contains(std::string{target})) return {};
  return std::string{module} + " includes " + std::string{target} +
         ", which its infiniedge_module(DEPENDS ...) does not name";
}

}  // namespace

Modules parse_modules(std::string_view text) {
  Modules modules;
  for_each_line(text, [&](std::size_t, std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    auto& depends = modules[std::string{line.substr(0, colon)}];
    std::istringstream words{std::string{line.substr(colon + 1)}};
    for (std::string word; words >> word;) depends.insert(word);
  });
  return modules;
}

std::optional<int> rank_of(std::string_view module) {
  for (std::size_t rank = 0; rank < kRule.size(); ++rank) {
    for (const auto name : kRule[rank]) {
      if (name == module) return static_cast<int>(rank);
    }
  }
  return std::nullopt;
}

Findings check_declarations(const Modules& modules) {
  Findings findings;
  for (const auto& [module, depends] : modules) {
    for (const auto& dependency : depends) {
      const auto reason = objection(module, dependency);
      if (!reason.empty()) findings.push_back({"src/" + module + "/CMakeLists.txt", 0, reason});
    }
  }
  return findings;
}

Findings check_includes(std::string_view file, std::string_view text, const Modules& modules) {
  Findings findings;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    std::string reason;
    if (const auto include = parse_include(line)) {
      reason = check_target(file, *include, modules);
    } else if (file != kBuiltin && tests_a_feature(line)) {
      reason = "a feature #if belongs into " + std::string{kBuiltin} + " only";
    }
    if (!reason.empty()) findings.push_back({std::string{file}, number, reason});
  });
  return findings;
}

Findings check_layers(const std::filesystem::path& root, const Modules& modules) {
  auto findings = check_declarations(modules);
  std::set<std::string> undeclared;
  for (const auto& file : project_files(root)) {
    if (!is_cpp(file)) continue;
    if (const auto module = module_of(file); !module.empty() && !modules.contains(module)) {
      undeclared.emplace(module);
    }
    if (!file.starts_with("src/") && !file.starts_with("include/")) continue;
    auto more = check_includes(file, read_file(root / file), modules);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  for (const auto& module : undeclared) {
    findings.push_back(
        {"src/" + module, 0, "no infiniedge_module(" + module + " ...) declares it"});
  }
  return findings;
}

}  // namespace infiniedge::treecheck
