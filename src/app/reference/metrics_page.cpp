// SPDX-License-Identifier: Apache-2.0
// The reference page of metrics, from what processes expose.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "app/reference/pages.hpp"

namespace infiniedge::app {
namespace {

struct Family {
  std::string help, type;
  std::set<std::string> labels;
};
using Families = std::map<std::string, Family, std::less<>>;

std::string_view take_word(std::string_view& line) {
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

/// `{a="1",b="2"}`: the names; values hold no quote that is not escaped.
void add_labels(std::string_view series, std::set<std::string>& out) {
  const auto open = series.find('{');
  if (open == std::string_view::npos) return;
  auto rest = series.substr(open + 1);
  while (!rest.empty() && rest.front() != '}') {
    const auto name = rest.substr(0, rest.find('='));
    rest.remove_prefix(std::min(rest.size(), name.size() + 2));
    while (!rest.empty() && rest.front() != '"')
      rest.remove_prefix(rest.front() == '\\' ? std::min<std::size_t>(2, rest.size()) : 1);
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
    if (rest.starts_with(',')) rest.remove_prefix(1);
    if (name != "le") out.emplace(name);
  }
}

void add(std::string_view line, Family*& current, Families& out) {
  if (line.starts_with("# HELP ")) {
    line.remove_prefix(7);
    current = &out[std::string{take_word(line)}];
    current->help = line;
  } else if (line.starts_with("# TYPE ") && current != nullptr) {
    line.remove_prefix(7);
    take_word(line);
    current->type = line;
  } else if (current != nullptr) {
    add_labels(line, current->labels);
  }
}

}  // namespace

Page metrics_page(std::span<const std::string> expositions) {
  Families families;
  for (const std::string_view text : expositions) {
    Family* current = nullptr;
    for (std::size_t from = 0; from < text.size();) {
      const auto line = text.substr(from, text.find('\n', from) - from);
      add(line, current, families);
      from += line.size() + 1;
    }
  }
  std::string out =
      "<!-- Written by `scenario_test --gtest_filter=Metrics.*` with "
      "INFINIEDGE_WRITE_REFERENCE=docs/reference; change the descriptions in the code. -->\n"
      "# Metrics\n\nWhat `GET /metrics` answers, in Prometheus text format. Times are in seconds, "
      "sizes in bytes; names that begin with `nv_` are Triton's and keep its units.\n\n"
      "| Metric | Type | Labels | |\n|---|---|---|---|\n";
  for (const auto& [name, family] : families)
    out += fmt::format("| `{}` | {} | {} | {} |\n", name, family.type,
                       fmt::join(family.labels, ", "), cell(family.help));
  return {"metrics.md", std::move(out)};
}

}  // namespace infiniedge::app
