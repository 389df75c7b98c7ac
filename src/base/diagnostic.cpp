// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace infiniedge::base {
namespace {

constexpr std::size_t kMaxLine = 120;

std::string_view line_of(std::string_view source, int line) {
  for (int i = 1; i < line; ++i) {
    const auto next = source.find('\n');
    if (next == std::string_view::npos) return {};
    source.remove_prefix(next + 1);
  }
  auto text = source.substr(0, source.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

/// Splits UTF-8 into code points; a byte that is not UTF-8 counts as one.
std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    std::size_t n = 1;
    while (n < text.size() && n < 4 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
    out.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

/// East Asian wide characters and emoji take two cells on a terminal.
int cells(std::string_view point) {
  const auto lead = static_cast<unsigned char>(point[0]);
  return lead >= 0xE3 && lead != 0xEF ? 2 : 1;
}

std::string caret_block(const Diagnostic& d, std::string_view text) {
  const auto points = code_points(text);
  const auto column = static_cast<std::size_t>(std::max(1, d.column)) - 1;
  const std::size_t from = column > kMaxLine / 2 ? column - kMaxLine / 2 : 0;
  const std::size_t to = std::min(points.size(), from + kMaxLine);
  std::string shown, carets;
  for (std::size_t i = from; i < to; ++i) shown.append(points[i]);
  for (std::size_t i = from; i < column; ++i) {
    if (i >= points.size()) break;
    if (points[i] == "\t")
      carets.push_back('\t');
    else
      carets.append(static_cast<std::size_t>(cells(points[i])), ' ');
  }
  carets.push_back('^');
  const auto end = std::min<std::size_t>(to, static_cast<std::size_t>(std::max(1, d.end)) - 1);
  for (std::size_t i = column + 1; i < end; ++i)
    carets.append(static_cast<std::size_t>(cells(points[i])), '~');
  std::string hint = d.suggestion.empty() ? "" : fmt::format(" did you mean \"{}\"?", d.suggestion);
  return fmt::format("{:>4} | {}\n     | {}{}\n", d.line, shown, carets, hint);
}

}  // namespace

std::string format(const Diagnostic& d, std::string_view source) {
  const auto severity = d.severity == Severity::Error ? "error" : "warning";
  std::string out;
  if (!d.file.empty()) out += d.file + ":";
  out += fmt::format("{}:{}: {}: {} [{}]\n", d.line, d.column, severity, d.message, d.id);
  if (!source.empty()) out += caret_block(d, line_of(source, d.line));
  if (source.empty() && !d.suggestion.empty()) {
    out += fmt::format("   did you mean \"{}\"?\n", d.suggestion);
  }
  if (!d.help.empty()) out += fmt::format("   help: {}\n", d.help);
  return out;
}

}  // namespace infiniedge::base
