// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/ast.hpp"
#include "stream/diagnostics.hpp"

namespace infiniedge::stream {

struct Token {
  enum class Kind : std::uint8_t { End, Name, Quoted, Int, Float, Duration, String, Symbol };
  Kind kind = Kind::End;
  Span span;
  std::string text;          ///< As written; of Quoted and String without quotes.
  std::string upper;         ///< Of Name: in capitals, to compare with keywords.
  std::int64_t integer = 0;  ///< Of Int; of Duration in µs.
  double number = 0;         ///< Of Float.

  bool is(std::string_view keyword_or_symbol) const {
    return (kind == Kind::Name && upper == keyword_or_symbol) ||
           (kind == Kind::Symbol && text == keyword_or_symbol);
  }
};

/// Cuts a rule's text into tokens, comments left out; always ends with one End. What cannot be
/// a token is reported as R001 and left out.
std::vector<Token> tokenize(std::string_view text, base::Diagnostics& errors);

/// Microseconds of a unit: us ms s m h d, or eKuiper's ss mi hh dd; 0 if it is none.
std::int64_t unit_us(std::string_view unit);

}  // namespace infiniedge::stream
