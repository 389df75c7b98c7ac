// SPDX-License-Identifier: Apache-2.0
#include "stream/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.hpp"
#include "stream/parser_state.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::size_t kMaxText = 64 * 1024;
constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxErrors = 20;

constexpr std::array<std::string_view, 29> kReserved = {
    "SELECT", "FROM", "WHERE",  "GROUP", "BY",   "HAVING", "EMIT", "LATE",    "LEFT",  "ASOF",
    "JOIN",   "ON",   "WITHIN", "AS",    "AND",  "OR",     "NOT",  "BETWEEN", "IN",    "LIKE",
    "IS",     "NULL", "CASE",   "WHEN",  "THEN", "ELSE",   "END",  "OVER",    "FILTER"};

/// Clauses of a select by the order in which they may stand.
enum Stage { kFrom, kJoin, kWhere, kGroup, kHaving, kEmit, kLate, kEnd };

std::string shown(const Token& token) {
  if (token.kind == Token::Kind::End) return "the end";
  if (token.kind == Token::Kind::String) return "a text";
  return "\"" + token.text + "\"";
}

}  // namespace

ExprPtr make_expr(Expr::Kind kind, const Span& span, std::string text) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->span = span;
  expr->text = std::move(text);
  return expr;
}

Parser::Level::Level(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ > kMaxDepth) {
    --parser_.depth_;
    parser_.fail(parser_.peek(), fmt::format("nested more than {} deep", kMaxDepth));
  }
}

Parser::Parser(std::string_view text) {
  if (text.size() > kMaxText) {
    report({}, fmt::format("the text is longer than {} KiB", kMaxText / 1024));
    text = {};
  }
  tokens_ = tokenize(text, errors_);
}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::next() {
  const auto& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::take(std::string_view what) {
  if (!peek().is(what)) return false;
  next();
  return true;
}

void Parser::expect(std::string_view what, std::string_view where) {
  if (take(what)) return;
  const auto& token = peek();
  std::string suggestion;
  if (token.kind == Token::Kind::Name) {
    suggestion =
        base::suggest(token.text, std::vector<std::string>{std::string(what)}).value_or("");
  }
  fail(token, fmt::format("expected {} {}, found {}", what, where, shown(token)), suggestion);
}

Name Parser::name(std::string_view what) {
  const auto& token = peek();
  const bool quoted = token.kind == Token::Kind::Quoted && !token.text.empty();
  if (quoted || (token.kind == Token::Kind::Name && !reserved(token))) {
    next();
    return {token.text, token.span};
  }
  const bool keyword = token.kind == Token::Kind::Name;
  fail(token, fmt::format("expected {}, found {}", what, shown(token)),
       keyword ? "\"" + token.text + "\"" : "");
}

bool Parser::reserved(const Token& token) const {
  return token.kind == Token::Kind::Name &&
         std::find(kReserved.begin(), kReserved.end(), token.upper) != kReserved.end();
}

Span Parser::from(const Span& begin) const {
  Span span = begin;
  const auto& last = tokens_[at_ > 0 ? at_ - 1 : 0].span;
  if (last.line == begin.line) span.end = std::max(begin.end, last.end);
  return span;
}

void Parser::fail(const Token& at, std::string message, std::string suggestion) {
  report(at.span, std::move(message), std::move(suggestion));
  throw Fault{};
}

void Parser::report(const Span& at, std::string message, std::string suggestion) {
  if (errors_.size() >= kMaxErrors) return;
  errors_.push_back({.line = at.line,
                     .column = at.column,
                     .end = at.end,
                     .id = "R001",
                     .message = std::move(message),
                     .suggestion = std::move(suggestion)});
}

bool Parser::recover() {
  constexpr std::string_view kStops[] = {"FROM", "WHERE", "GROUP", "HAVING", "EMIT", "LATE"};
  int open = 0;
  for (; peek().kind != Token::Kind::End; next()) {
    if (peek().is("(")) ++open;
    if (peek().is(")") && --open < 0) open = 0;
    if (open > 0) continue;
    if (peek().is(",")) return true;
    const auto stop = [this](std::string_view word) { return peek().is(word); };
    if (std::any_of(std::begin(kStops), std::end(kStops), stop)) return false;
  }
  return false;
}

Checked<Select> Parser::select_statement() {
  // Behind an open quote everything would look wrong.
  if (!errors_.empty()) return tl::unexpected(std::move(errors_));
  Select out;
  try {
    out = select();
    take(";");
    if (peek().kind != Token::Kind::End) unexpected_in_select(kEnd);
  } catch (const Fault&) {
    // Recorded where it was thrown.
  }
  if (!errors_.empty()) return tl::unexpected(std::move(errors_));
  return out;
}

Checked<ExprPtr> Parser::expression_statement() {
  if (!errors_.empty()) return tl::unexpected(std::move(errors_));
  ExprPtr out;
  try {
    out = expression();
    if (peek().kind != Token::Kind::End) {
      fail(peek(), fmt::format("expected the end or an operator, found {}", shown(peek())));
    }
  } catch (const Fault&) {
    // Recorded where it was thrown.
  }
  if (!errors_.empty()) return tl::unexpected(std::move(errors_));
  return out;
}

Select Parser::select() {
  const Level level(*this);
  Select out;
  out.span = peek().span;
  expect("SELECT", "at the start");
  select_list(out);
  expect("FROM", "after the list of columns");
  out.from = source();
  while (join_ahead()) out.joins.push_back(join());
  int stage = kWhere;
  constexpr std::string_view kClauses[] = {"WHERE", "GROUP", "HAVING", "EMIT", "LATE"};
  for (; stage < kEnd; ++stage) {
    const auto keyword = kClauses[stage - kWhere];
    if (take(keyword)) {
      try {
        clause(out, keyword);
      } catch (const Fault&) {
        while (recover()) next();
      }
    }
  }
  const bool closed = peek().kind == Token::Kind::End || peek().is(")") || peek().is(";");
  if (!closed)
    unexpected_in_select(out.having                          ? kEmit
                         : out.groups.empty() && !out.window ? (out.where ? kGroup : kJoin)
                                                             : kHaving);
  return out;
}

void Parser::clause(Select& out, std::string_view keyword) {
  if (keyword == "WHERE") out.where = expression();
  if (keyword == "HAVING") out.having = expression();
  if (keyword == "EMIT") out.emit = emit();
  if (keyword == "LATE") out.late = late();
  if (keyword == "GROUP") {
    expect("BY", "after GROUP");
    group_list(out);
  }
}

std::vector<std::string_view> Parser::following(int stage) const {
  std::vector<std::string_view> out;
  if (stage <= kFrom) out.push_back("FROM");
  if (stage <= kJoin) out.insert(out.end(), {"AS", "JOIN", "LEFT", "ASOF"});
  if (stage <= kWhere) out.push_back("WHERE");
  if (stage <= kGroup) out.push_back("GROUP");
  if (stage <= kHaving) out.push_back("HAVING");
  if (stage <= kEmit) out.push_back("EMIT");
  if (stage <= kLate) out.push_back("LATE");
  return out;
}

void Parser::unexpected_in_select(int stage) {
  const auto& token = peek();
  if (token.is("WHERE") || token.is("GROUP") || token.is("HAVING") || token.is("EMIT")) {
    fail(token, fmt::format("{} stands too late or twice: the order is SELECT, FROM, JOIN, WHERE, "
                            "GROUP BY, HAVING, EMIT, LATE",
                            token.upper));
  }
  std::vector<std::string> words;
  for (const auto word : following(stage)) words.emplace_back(word);
  const auto near = token.kind == Token::Kind::Name ? base::suggest(token.text, words)
                                                    : std::optional<std::string>{};
  words.push_back("the end");
  fail(token, fmt::format("expected {}, found {}", fmt::join(words, ", "), shown(token)),
       near.value_or(""));
}

void Parser::select_list(Select& out) {
  do {
    try {
      out.items.push_back(item());
      if (!peek().is(",") && !peek().is("FROM")) {
        const auto& token = peek();
        std::vector<std::string> words{"FROM", "AS"};
        const auto near = token.kind == Token::Kind::Name ? base::suggest(token.text, words)
                                                          : std::optional<std::string>{};
        fail(token, fmt::format("expected AS, a comma or FROM, found {}", shown(token)),
             near.value_or(""));
      }
    } catch (const Fault&) {
      // Without FROM nothing behind it can be judged.
      if (!recover() && !peek().is("FROM")) throw;
    }
  } while (take(","));
}

Item Parser::item() {
  Item out;
  out.span = peek().span;
  if (take("*")) {
    out.star = true;
    if (take("EXCEPT")) {
      expect("(", "after EXCEPT");
      do out.except.push_back(name("a column"));
      while (take(","));
      expect(")", "after the columns of EXCEPT");
    }
    out.span = from(out.span);
    return out;
  }
  out.expr = expression();
  if (take("AS")) out.alias = name("a name after AS");
  out.span = from(out.span);
  return out;
}

Source Parser::source() {
  Source out;
  out.span = peek().span;
  if (take("(")) {
    out.query = std::make_unique<Select>(select());
    expect(")", "after the inner select");
  } else {
    out.name = name("the name of a stream");
    refuse_hyphens(out.name);
  }
  if (take("AS")) out.alias = name("a name after AS");
  out.span = from(out.span);
  return out;
}

/// FROM pump-7: in SQL that is a subtraction.
void Parser::refuse_hyphens(const Name& begin) {
  const auto adjacent = [&](const Span& span) {
    const auto& last = tokens_[at_ - 1].span;
    return span.line == last.line && span.column == last.end;
  };
  if (!peek().is("-") || !adjacent(peek().span)) return;
  std::string meant = begin.text;
  while (peek().kind != Token::Kind::End && adjacent(peek().span) &&
         (peek().is("-") || peek().kind == Token::Kind::Name || peek().kind == Token::Kind::Int ||
          peek().kind == Token::Kind::Duration)) {
    meant += peek().is("-") ? "_" : peek().text;
    next();
  }
  report(from(begin.span), "in SQL a \"-\" in a name is written \"_\"", meant);
}

bool Parser::join_ahead() const {
  return peek().is("JOIN") || peek().is("LEFT") || peek().is("ASOF");
}

Join Parser::join() {
  Join out;
  out.span = peek().span;
  out.left = take("LEFT");
  out.asof = take("ASOF");
  expect("JOIN", "here");
  out.source = source();
  expect("ON", "after the joined stream");
  out.on = expression();
  if (take("WITHIN")) out.within = duration("after WITHIN");
  out.span = from(out.span);
  return out;
}

void Parser::group_list(Select& out) {
  do {
    try {
      if (!window_ahead()) {
        out.groups.push_back(expression());
        continue;
      }
      const auto& token = peek();
      auto found = window();
      if (out.window) fail(token, "a rule has one window; read its stream in another rule");
      out.window = std::move(found);
    } catch (const Fault&) {
      if (!recover()) throw;
    }
  } while (take(","));
}

Emit Parser::emit() {
  Emit out;
  out.span = tokens_[at_ - 1].span;
  if (take("EVERY")) {
    out.kind = Emit::Kind::Every;
    out.every = duration("after EVERY");
  } else {
    expect("ON", "or EVERY after EMIT");
    if (take("UPDATE")) {
      out.kind = Emit::Kind::OnUpdate;
    } else {
      expect("CLOSE", "or UPDATE after EMIT ON");
    }
  }
  out.span = from(out.span);
  return out;
}

LatePolicy Parser::late() {
  if (take("UPDATE")) return LatePolicy::Update;
  if (take("SIDE")) return LatePolicy::Side;
  if (take("DROP")) return LatePolicy::Drop;
  const auto& token = peek();
  const std::vector<std::string> words{"UPDATE", "SIDE", "DROP"};
  fail(token, fmt::format("expected UPDATE, SIDE or DROP after LATE, found {}", shown(token)),
       base::suggest(token.text, words).value_or(""));
}

Checked<Select> parse(std::string_view sql) { return Parser(sql).select_statement(); }

Checked<ExprPtr> parse_expression(std::string_view text) {
  return Parser(text).expression_statement();
}

}  // namespace infiniedge::stream
