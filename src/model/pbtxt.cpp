// SPDX-License-Identifier: Apache-2.0
#include "model/pbtxt.hpp"

#include <fmt/format.h>

#include <cctype>

namespace infiniedge::model {
namespace {

constexpr int kMaxDepth = 32;

bool word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' ||
         c == '+';
}

/// Reads front to back, counting lines and columns.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  Position at() const { return at_; }
  bool end() const { return next_ >= text_.size(); }
  char peek() const { return end() ? '\0' : text_[next_]; }
  char take() {
    const char c = text_[next_++];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++at_.column;
    }
    return c;
  }
  void skip_space() {
    while (!end()) {
      if (peek() == '#') {
        while (!end() && peek() != '\n') take();
      } else if (std::isspace(static_cast<unsigned char>(peek()))) {
        take();
      } else {
        return;
      }
    }
  }
  /// Skips space, then takes `c` if it is there.
  bool accept(char c) {
    skip_space();
    if (end() || peek() != c) return false;
    take();
    return true;
  }
  std::string word() {
    std::string out;
    while (!end() && word_char(peek())) out.push_back(take());
    return out;
  }

 private:
  std::string_view text_;
  std::size_t next_ = 0;
  Position at_;
};

Error wrong(Position at, std::string_view what) {
  return {Code::Invalid, fmt::format("{}:{}: {}", at.line, at.column, what)};
}

/// Up to `limit` digits of base `base`, at least one.
Result<char> number_escape(Cursor& cursor, int base, int limit, unsigned value) {
  for (int i = 0; i < limit && !cursor.end(); ++i) {
    const char c = cursor.peek();
    const int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0'
                      : std::isxdigit(static_cast<unsigned char>(c))
                          ? std::tolower(static_cast<unsigned char>(c)) - 'a' + 10
                          : base;
    if (digit >= base) break;
    value = value * static_cast<unsigned>(base) + static_cast<unsigned>(digit);
    cursor.take();
  }
  return static_cast<char>(value & 0xFFU);
}

Result<char> escape(Cursor& cursor) {
  const auto at = cursor.at();
  if (cursor.end()) return wrong(at, "the string is not closed");
  const char c = cursor.take();
  constexpr std::string_view kFrom = "abfnrtv\\'\"?", kTo = "\a\b\f\n\r\t\v\\'\"?";
  if (const auto i = kFrom.find(c); i != std::string_view::npos) return kTo[i];
  if (c >= '0' && c <= '7') return number_escape(cursor, 8, 2, static_cast<unsigned>(c - '0'));
  if (c == 'x' || c == 'X') return number_escape(cursor, 16, 2, 0);
  return wrong(at, fmt::format("unknown escape \\{}", c));
}

Result<void> quoted(Cursor& cursor, std::string& out) {
  const auto start = cursor.at();
  const char quote = cursor.take();
  while (!cursor.end() && cursor.peek() != '\n') {
    const char c = cursor.take();
    if (c == quote) return {};
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    auto escaped = escape(cursor);
    if (!escaped) return std::move(escaped).error();
    out.push_back(*escaped);
  }
  return wrong(start, "the string is not closed on its line");
}

Result<std::vector<PbField>> parse_fields(Cursor& cursor, int depth, char close);

Result<PbValue> parse_value(Cursor& cursor, int depth) {
  cursor.skip_space();
  PbValue value;
  value.at = cursor.at();
  const char c = cursor.peek();
  if (c == '{' || c == '<') {
    cursor.take();
    value.kind = PbValue::Kind::Message;
    auto fields = parse_fields(cursor, depth + 1, c == '{' ? '}' : '>');
    if (!fields) return std::move(fields).error();
    value.fields = std::move(*fields);
    return value;
  }
  if (c == '"' || c == '\'') {
    value.kind = PbValue::Kind::String;
    while (!cursor.end() && (cursor.peek() == '"' || cursor.peek() == '\'')) {
      INFINIEDGE_TRY(quoted(cursor, value.text));
      cursor.skip_space();
    }
    return value;
  }
  value.text = cursor.word();
  if (value.text.empty()) return wrong(value.at, "a value is expected here");
  const char first = value.text.find_first_not_of("+-") == std::string::npos
                         ? '\0'
                         : value.text[value.text.find_first_not_of("+-")];
  value.kind = std::isdigit(static_cast<unsigned char>(first)) || first == '.'
                   ? PbValue::Kind::Number
                   : PbValue::Kind::Word;
  return value;
}

Result<void> parse_list(Cursor& cursor, int depth, const PbField& field,
                        std::vector<PbField>& out) {
  if (cursor.accept(']')) return {};
  for (;;) {
    auto value = parse_value(cursor, depth);
    if (!value) return std::move(value).error();
    out.push_back({field.name, field.at, std::move(*value)});
    if (cursor.accept(']')) return {};
    if (!cursor.accept(',')) return wrong(cursor.at(), "expected ',' or ']' in the list");
  }
}

Result<void> parse_field(Cursor& cursor, int depth, std::vector<PbField>& out) {
  PbField field{.name = {}, .at = cursor.at(), .value = {}};
  field.name = cursor.word();
  if (field.name.empty()) {
    return wrong(field.at, fmt::format("a field name is expected, not '{}'", cursor.peek()));
  }
  const bool colon = cursor.accept(':');
  cursor.skip_space();
  if (colon && cursor.accept('[')) {
    INFINIEDGE_TRY(parse_list(cursor, depth, field, out));
  } else if (!colon && cursor.accept('[')) {
    INFINIEDGE_TRY(parse_list(cursor, depth, field, out));
  } else {
    if (!colon && cursor.peek() != '{' && cursor.peek() != '<') {
      return wrong(cursor.at(), fmt::format("expected ':' or '{{' after '{}'", field.name));
    }
    auto value = parse_value(cursor, depth);
    if (!value) return std::move(value).error();
    field.value = std::move(*value);
    out.push_back(std::move(field));
  }
  if (!cursor.accept(',')) cursor.accept(';');
  return {};
}

Result<std::vector<PbField>> parse_fields(Cursor& cursor, int depth, char close) {
  if (depth > kMaxDepth) {
    return wrong(cursor.at(), fmt::format("messages are nested deeper than {}", kMaxDepth));
  }
  std::vector<PbField> out;
  const auto start = cursor.at();
  for (;;) {
    cursor.skip_space();
    if (cursor.end()) {
      if (close == '\0') return out;
      return wrong(start, fmt::format("the message that starts here lacks its '{}'", close));
    }
    if (close != '\0' && cursor.accept(close)) return out;
    INFINIEDGE_TRY(parse_field(cursor, depth, out));
  }
}

}  // namespace

Result<std::vector<PbField>> parse_text_format(std::string_view text) {
  Cursor cursor(text);
  return parse_fields(cursor, 0, '\0');
}

}  // namespace infiniedge::model
