// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.hpp"
#include "stream/parser_state.hpp"

namespace infiniedge::stream {
namespace {

struct Spelling {
  std::string_view name;
  Window::Kind kind;
  bool peer;  ///< eKuiper's: the unit comes first.
};

constexpr Spelling kWindows[] = {
    {"TUMBLE", Window::Kind::Tumble, false},        {"HOP", Window::Kind::Hop, false},
    {"SLIDE", Window::Kind::Slide, false},          {"SESSION", Window::Kind::Session, false},
    {"COUNT_WINDOW", Window::Kind::Count, false},   {"STATE_WINDOW", Window::Kind::State, false},
    {"TUMBLINGWINDOW", Window::Kind::Tumble, true}, {"HOPPINGWINDOW", Window::Kind::Hop, true},
    {"SLIDINGWINDOW", Window::Kind::Slide, true},   {"SESSIONWINDOW", Window::Kind::Session, true},
    {"COUNTWINDOW", Window::Kind::Count, true},     {"STATEWINDOW", Window::Kind::State, true},
};

const Spelling* spelling_of(const Token& token) {
  if (token.kind != Token::Kind::Name) return nullptr;
  const auto same = [&](const Spelling& s) { return s.name == token.upper; };
  const auto* found = std::find_if(std::begin(kWindows), std::end(kWindows), same);
  return found == std::end(kWindows) ? nullptr : found;
}

}  // namespace

bool Parser::window_ahead() const { return spelling_of(peek()) != nullptr && peek(1).is("("); }

Window Parser::window() {
  const auto& token = next();
  expect("(", "after the window's name");
  const auto* spelling = spelling_of(token);
  auto out = spelling->peer ? peer_window(token) : plain_window(token);
  expect(")", "after the window");
  out.kind = spelling->kind;
  if (out.kind == Window::Kind::Slide && take("WHEN")) out.when = expression();
  if (take("FILTER")) {
    expect("(", "after FILTER");
    expect("WHERE", "in FILTER");
    out.filter = expression();
    expect(")", "after the filter");
  }
  out.span = from(token.span);
  return out;
}

Window Parser::plain_window(const Token& name) {
  Window out;
  const auto kind = spelling_of(name)->kind;
  if (kind == Window::Kind::State) {
    out.open = expression();
    if (take(",")) out.close = expression();
    return out;
  }
  if (kind == Window::Kind::Count) {
    out.first = integer("the number of rows");
    out.second = take(",") ? integer("the number of rows between results") : out.first;
    return out;
  }
  out.first = duration("as the window's length");
  if (kind == Window::Kind::Hop) {
    expect(",", "and how often, as in HOP(1m, 10s)");
    out.second = duration("as the window's period");
  } else if (take(",")) {
    out.second = duration("as the window's second argument");
  }
  return out;
}

Window Parser::peer_window(const Token& name) {
  const auto kind = spelling_of(name)->kind;
  if (kind == Window::Kind::Count || kind == Window::Kind::State) return plain_window(name);
  const auto& unit_token = peek();
  std::string lower = unit_token.text;
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view kUnits[] = {"dd", "hh", "mi", "ss", "ms"};
  if (std::find(std::begin(kUnits), std::end(kUnits), lower) == std::end(kUnits)) {
    fail(unit_token, fmt::format("expected one of the units dd, hh, mi, ss, ms in {}", name.text));
  }
  next();
  const auto amount = [&](std::string_view what) {
    const auto& at = peek();
    std::int64_t us = 0;
    if (__builtin_mul_overflow(integer(what), unit_us(lower), &us)) fail(at, "this is too long");
    return us;
  };
  Window out;
  expect(",", "after the unit");
  out.first = amount("the window's length");
  if (take(",")) {
    out.second = amount("the window's second length");
  } else if (kind == Window::Kind::Hop || kind == Window::Kind::Session) {
    expect(",", fmt::format("and a second length in {}", name.text));
  }
  // SESSIONWINDOW(unit, max, timeout) has the order of SESSION(gap, max) reversed.
  if (kind == Window::Kind::Session) std::swap(out.first, out.second);
  return out;
}

std::int64_t Parser::duration(std::string_view what) {
  const auto& token = peek();
  if (token.kind == Token::Kind::Duration) return next().integer;
  if (token.kind == Token::Kind::Int) {
    fail(token, fmt::format("expected a duration {}: a number needs its unit", what),
         token.text + "s");
  }
  fail(token, fmt::format("expected a duration {}, such as 10s or 1m30s", what));
}

std::int64_t Parser::integer(std::string_view what) {
  const auto& token = peek();
  if (token.kind != Token::Kind::Int) {
    fail(token, fmt::format("expected {} as a whole number", what));
  }
  return next().integer;
}

}  // namespace infiniedge::stream
