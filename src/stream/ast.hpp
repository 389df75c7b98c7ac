// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace infiniedge::stream {

/// Where a piece of text stands: 1-based, columns in code points, `end` just past it on the line.
struct Span {
  int line = 1, column = 1, end = 1;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// OVER (...): which rows an analytic function sees as neighbours.
struct Over {
  std::vector<ExprPtr> partition;  ///< Empty: all rows of the stream.
  ExprPtr when;                    ///< Only rows where this holds change the state.
};

/// One expression as written, not yet checked against a schema.
struct Expr {
  enum class Kind : std::uint8_t {
    Null,
    Bool,      ///< integer
    Int,       ///< integer
    Float,     ///< number
    String,    ///< text
    Duration,  ///< integer, in µs
    Name,      ///< qualifier (may be empty), text
    Call,      ///< text, args, star, distinct, filter, over
    Unary,     ///< text: "-" or "NOT"
    Binary,    ///< text: OR AND = <> < <= > >= || + - * / %
    Between,   ///< args: value, low, high; negated
    In,        ///< args: value, candidates...; negated
    Like,      ///< args: value, pattern; negated
    IsNull,    ///< args: value; negated
    Case,      ///< args: when, then, ..., [else]: an odd count has the else
    Cast       ///< args: value; text: type
  };
  Kind kind = Kind::Null;
  Span span;
  std::string text, qualifier;
  std::int64_t integer = 0;
  double number = 0;
  bool negated = false, distinct = false, star = false;
  std::vector<ExprPtr> args;
  ExprPtr filter;
  std::optional<Over> over;
};

struct Name {
  std::string text;
  Span span;
};

struct Item {
  Span span;
  bool star = false;
  std::vector<Name> except;  ///< Of a star.
  ExprPtr expr;              ///< Null iff star.
  std::optional<Name> alias;
};

struct Select;

struct Source {
  Name name;                      ///< Empty for a sub-select.
  std::unique_ptr<Select> query;  ///< Of a sub-select.
  std::optional<Name> alias;
  Span span;
};

struct Join {
  Span span;
  bool left = false, asof = false;
  Source source;
  ExprPtr on;
  std::optional<std::int64_t> within;  ///< µs
};

struct Window {
  enum class Kind : std::uint8_t { Tumble, Hop, Slide, Session, Count, State };
  Kind kind = Kind::Tumble;
  Span span;
  /// Tumble: size, offset. Hop: size, every. Slide: back, ahead. Session: gap, max (0: none).
  /// Count: n, every (rows). Times in µs.
  std::int64_t first = 0, second = 0;
  ExprPtr open, close;  ///< Of State.
  ExprPtr when;         ///< Of Slide.
  ExprPtr filter;
};

struct Emit {
  enum class Kind : std::uint8_t { OnClose, OnUpdate, Every };
  Kind kind = Kind::OnClose;
  std::int64_t every = 0;  ///< µs
  Span span;
};

/// What happens to a row whose window has closed.
enum class LatePolicy : std::uint8_t {
  Update,  ///< Its window is emitted again, `_version` one higher.
  Side,    ///< It goes to `<stream>__late`.
  Drop     ///< It is counted.
};

struct Select {
  Span span;
  std::vector<Item> items;
  Source from;
  std::vector<Join> joins;
  ExprPtr where;
  std::vector<ExprPtr> groups;
  std::optional<Window> window;
  ExprPtr having;
  std::optional<Emit> emit;
  std::optional<LatePolicy> late;
};

/// The expression in one spelling: equal meaning of the text gives equal strings. Names of
/// unnamed columns and the keys of kept state come from it.
std::string to_text(const Expr& expr);

}  // namespace infiniedge::stream
