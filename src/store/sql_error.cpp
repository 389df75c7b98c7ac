// SPDX-License-Identifier: Apache-2.0
#include "store/sql_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace infiniedge::store {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

int code_points(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string_view line_of(std::string_view text, int number) {
  for (; number > 1; --number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// "LINE 3:   b" and the caret line below it.
struct Place {
  int line = 1, column = 1;
};
std::optional<Place> place_of(std::string_view message, std::string_view sql) {
  const auto start = message.rfind("\nLINE ");
  if (start == std::string_view::npos) return std::nullopt;
  const std::string_view shown = message.substr(start + 1);
  const auto colon = shown.find(": ");
  const auto end = shown.find('\n');
  if (colon == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
  const auto caret = shown.substr(end + 1).find('^');
  if (caret == std::string_view::npos || caret < colon + 2) return std::nullopt;
  Place place;
  place.line = std::max(1, std::atoi(std::string(shown.substr(5, colon - 5)).c_str()));
  place.column = static_cast<int>(caret - (colon + 2)) + 1;
  std::string_view excerpt = shown.substr(colon + 2, end - colon - 2);
  if (excerpt.starts_with("...")) {  // A long line was cut around the caret.
    excerpt.remove_prefix(3);
    if (excerpt.ends_with("...")) excerpt.remove_suffix(3);
    const std::string_view line = line_of(sql, place.line);
    const auto at = line.find(excerpt);
    if (at == std::string_view::npos) return std::nullopt;
    place.column += code_points(line.substr(0, at)) - 3;
  }
  return place;
}

/// The first "quoted" name after `lead`.
std::string quoted_after(std::string_view message, std::string_view lead) {
  const auto at = message.find(lead);
  if (at == std::string_view::npos) return {};
  const auto open = message.find('"', at);
  if (open == std::string_view::npos) return {};
  const auto close = message.find('"', open + 1);
  return close == std::string_view::npos ? std::string()
                                         : std::string(message.substr(open + 1, close - open - 1));
}

/// The sentence alone: no "Binder Error:", no excerpt, no list of candidates.
std::string sentence_of(std::string_view message) {
  message = message.substr(0, message.find("\nLINE "));
  for (const std::string_view tail : {"\nDid you mean", "\nCandidate bindings", "\n\tCandidate"}) {
    message = message.substr(0, message.find(tail));
  }
  const auto colon = message.find(" Error: ");
  if (colon != std::string_view::npos && colon < 40) message.remove_prefix(colon + 8);
  std::string out;
  for (const char c : message) out += c == '\n' || c == '\t' ? ' ' : c;
  while (!out.empty() && (out.back() == ' ' || out.back() == '!')) out.pop_back();
  return out;
}

}  // namespace

base::Diagnostic diagnostic_at(std::string_view sql, std::size_t offset, std::string id,
                               std::string message, std::size_t length) {
  offset = std::min(offset, sql.size());
  const std::string_view before = sql.substr(0, offset);
  const auto newline = before.rfind('\n');
  const auto line_start = newline == std::string_view::npos ? 0 : newline + 1;
  base::Diagnostic diagnostic;
  diagnostic.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  diagnostic.column = 1 + code_points(before.substr(line_start));
  diagnostic.end = diagnostic.column + static_cast<int>(length);
  diagnostic.id = std::move(id);
  diagnostic.message = std::move(message);
  return diagnostic;
}

base::Diagnostic diagnostic_from(const Error& error, std::string_view sql) {
  const std::string& message = error.message();
  base::Diagnostic diagnostic;
  if (const auto place = place_of(message, sql)) {
    diagnostic.line = place->line;
    diagnostic.column = place->column;
  }
  diagnostic.suggestion = quoted_after(message, "Did you mean");
  if (diagnostic.suggestion.empty()) {
    diagnostic.suggestion = quoted_after(message, "Candidate bindings:");
  }
  diagnostic.message = sentence_of(message);
  const std::string_view line = line_of(sql, diagnostic.line);
  const auto named = quoted_after(diagnostic.message, "");
  const int width =
      named.empty() || line.find(named) == std::string_view::npos ? 1 : code_points(named);
  diagnostic.end = diagnostic.column + width;
  diagnostic.id = message.starts_with("Parser Error") ? "syntax" : "invalid-query";
  return diagnostic;
}

Error error_from(Code code, const base::Diagnostic& diagnostic) {
  std::string text =
      fmt::format("{}:{}: {}", diagnostic.line, diagnostic.column, diagnostic.message);
  if (!diagnostic.suggestion.empty())
    text += fmt::format("; did you mean \"{}\"?", diagnostic.suggestion);
  return {code, std::move(text)};
}

}  // namespace infiniedge::store
