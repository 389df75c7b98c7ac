// SPDX-License-Identifier: Apache-2.0
#include "stream/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace infiniedge::stream {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

class Lexer {
 public:
  Lexer(std::string_view text, base::Diagnostics& errors) : text_(text), errors_(errors) {}

  std::vector<Token> run() {
    for (skip_blank(); at_ < text_.size(); skip_blank()) {
      begin_ = {line_, column_, column_};
      one();
    }
    begin_ = {line_, column_, column_ + 1};
    push({.kind = Token::Kind::End});
    tokens_.back().span = begin_;
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  /// Moves over one byte; columns count code points, so continuation bytes do not advance it.
  void step() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column_;
    }
  }
  void step(std::size_t n) {
    while (n-- > 0 && at_ < text_.size()) step();
  }

  void skip_blank() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        step();
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < text_.size() && peek() != '\n') step();
      } else if (peek() == '/' && peek(1) == '*') {
        skip_comment();
      } else {
        return;
      }
    }
  }

  void skip_comment() {
    begin_ = {line_, column_, column_ + 2};
    const auto close = text_.find("*/", at_ + 2);
    if (close == std::string_view::npos) error("this comment is not closed", "*/");
    const auto end = close == std::string_view::npos ? text_.size() : close + 2;
    while (at_ < end) step();
  }

  void one() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return word();
    if (c == '\'') return quoted('\'', Token::Kind::String);
    if (c == '"') return quoted('"', Token::Kind::Quoted);
    if (c == '`') return quoted('`', Token::Kind::Quoted);
    symbol();
  }

  void word() {
    const auto from = at_;
    while (is_word(peek())) step();
    Token token{.kind = Token::Kind::Name, .text = std::string(text_.substr(from, at_ - from))};
    token.upper = token.text;
    std::transform(token.upper.begin(), token.upper.end(), token.upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    push(std::move(token));
  }

  void quoted(char quote, Token::Kind kind) {
    step();
    std::string value;
    while (at_ < text_.size()) {
      if (peek() == quote && peek(1) == quote)
        step();  // doubled: one quote
      else if (peek() == quote)
        break;
      value.push_back(peek());
      step();
    }
    if (at_ >= text_.size()) {
      begin_.end = begin_.column + 1;
      return error("this quote is not closed", std::string(1, quote));
    }
    step();
    push({.kind = kind, .text = std::move(value)});
  }

  void symbol() {
    constexpr std::string_view kTwo[] = {"<>", "!=", "<=", ">=", "||", "=="};
    constexpr std::string_view kOne = "=<>+-*/%(),.;";
    const auto two = text_.substr(at_, 2);
    if (std::find(std::begin(kTwo), std::end(kTwo), two) != std::end(kTwo)) {
      step(2);
      const auto text = two == "!=" ? "<>" : two == "==" ? "=" : std::string(two);
      return push({.kind = Token::Kind::Symbol, .text = text});
    }
    if (kOne.find(peek()) != std::string_view::npos) {
      const auto text = std::string(1, peek());
      step();
      return push({.kind = Token::Kind::Symbol, .text = text});
    }
    const auto from = at_;
    step();
    while (at_ < text_.size() && (static_cast<unsigned char>(peek()) & 0xC0) == 0x80) step();
    begin_.end = column_;
    const auto shown = text_.substr(from, at_ - from);
    const bool printable = shown.size() > 1 || std::isprint(static_cast<unsigned char>(shown[0]));
    error(printable ? fmt::format("\"{}\" has no meaning here", shown)
                    : fmt::format("byte {:#04x} has no meaning here",
                                  static_cast<unsigned char>(shown[0])));
  }

  void number() {
    const auto from = at_;
    while (is_digit(peek())) step();
    if (is_letter(peek()) && !exponent_ahead()) return duration(from);
    bool real = false;
    if (peek() == '.' && is_digit(peek(1))) {
      real = true;
      step();
      while (is_digit(peek())) step();
    } else if (peek() == '.' && !is_letter(peek(1))) {
      real = true;
      step();
    }
    if (exponent_ahead()) {
      real = true;
      step(is_digit(peek(1)) ? 1 : 2);
      while (is_digit(peek())) step();
    }
    if (is_letter(peek())) {
      while (is_word(peek())) step();
      begin_.end = column_;
      return error("a number may not end in letters; durations are whole: 1m30s, 250ms");
    }
    convert(text_.substr(from, at_ - from), real);
  }

  bool exponent_ahead() const {
    if (peek() != 'e' && peek() != 'E') return false;
    return is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2)));
  }

  void convert(std::string_view text, bool real) {
    Token token{.kind = real ? Token::Kind::Float : Token::Kind::Int, .text = std::string(text)};
    const char* end = text.data() + text.size();
    if (!real && std::from_chars(text.data(), end, token.integer).ec != std::errc{}) {
      token.kind = Token::Kind::Float;  // too long for an integer: as a number then
      real = true;
    }
    if (real && std::from_chars(text.data(), end, token.number).ec != std::errc{}) {
      begin_.end = column_;
      return error("this number is too large or too small for 64 bits");
    }
    push(std::move(token));
  }

  void duration(std::size_t from) {
    at_back_to(from);
    Token token{.kind = Token::Kind::Duration};
    bool fits = true;
    while (is_digit(peek())) {
      const auto digits = at_;
      while (is_digit(peek())) step();
      std::int64_t count = 0, us = 0;
      fits &= std::from_chars(text_.data() + digits, text_.data() + at_, count).ec == std::errc{};
      const auto letters = at_;
      while (is_letter(peek())) step();
      const auto unit = text_.substr(letters, at_ - letters);
      if (unit_us(unit) == 0 || unit.size() == 0) {
        while (is_word(peek())) step();
        begin_.end = column_;
        return error(fmt::format("\"{}\" is not a unit of time: us ms s m h d", unit));
      }
      fits &= !__builtin_mul_overflow(count, unit_us(unit), &us);
      fits &= !__builtin_add_overflow(token.integer, us, &token.integer);
    }
    token.text = std::string(text_.substr(from, at_ - from));
    begin_.end = column_;
    if (!fits) return error("this duration is too long");
    push(std::move(token));
  }

  /// Digits hold no line break and are one column each, so going back is plain arithmetic.
  void at_back_to(std::size_t from) {
    column_ -= static_cast<int>(at_ - from);
    at_ = from;
  }

  void push(Token token) {
    begin_.end = line_ == begin_.line ? column_ : begin_.column + 1;
    token.span = begin_;
    tokens_.push_back(std::move(token));
  }

  void error(std::string message, std::string suggestion = {}) {
    errors_.push_back({.line = begin_.line,
                       .column = begin_.column,
                       .end = std::max(begin_.end, begin_.column + 1),
                       .id = "R001",
                       .message = std::move(message),
                       .suggestion = std::move(suggestion)});
  }

  std::string_view text_;
  base::Diagnostics& errors_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
  Span begin_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, base::Diagnostics& errors) {
  return Lexer(text, errors).run();
}

std::int64_t unit_us(std::string_view unit) {
  constexpr struct {
    std::string_view name;
    std::int64_t us;
  } kUnits[] = {{"us", 1},
                {"ms", 1'000},
                {"s", 1'000'000},
                {"ss", 1'000'000},
                {"m", 60'000'000},
                {"mi", 60'000'000},
                {"h", 3'600'000'000},
                {"hh", 3'600'000'000},
                {"d", 86'400'000'000},
                {"dd", 86'400'000'000}};
  for (const auto& entry : kUnits) {
    if (entry.name == unit) return entry.us;
  }
  return 0;
}

}  // namespace infiniedge::stream
