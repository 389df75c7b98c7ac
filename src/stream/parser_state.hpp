// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "stream/lexer.hpp"

namespace infiniedge::stream {

/// Recursive descent over the tokens of one text. A syntax error is recorded and thrown as
/// Fault to the nearest place that can go on: the next list element or clause. Never leaves
/// parser.cpp and its two companions.
class Parser {
 public:
  struct Fault {};

  explicit Parser(std::string_view text);

  Checked<Select> select_statement();
  Checked<ExprPtr> expression_statement();

 private:
  // parser.cpp: clauses
  Select select();
  void select_list(Select& out);
  Item item();
  Source source();
  void refuse_hyphens(const Name& begin);
  Join join();
  bool join_ahead() const;
  void group_list(Select& out);
  void clause(Select& out, std::string_view keyword);
  Emit emit();
  LatePolicy late();
  std::vector<std::string_view> following(int stage) const;
  void unexpected_in_select(int stage);

  // parser_window.cpp
  bool window_ahead() const;
  Window window();
  Window plain_window(const Token& name);
  Window peer_window(const Token& name);  // eKuiper's spelling
  std::int64_t duration(std::string_view what);
  std::int64_t integer(std::string_view what);

  // parser_expr.cpp
  ExprPtr expression();
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr comparison_tail(ExprPtr left);
  ExprPtr concatenation();
  ExprPtr sum();
  ExprPtr product();
  ExprPtr unary();
  ExprPtr primary();
  ExprPtr name_or_call();
  ExprPtr call(const Token& name);
  ExprPtr case_of();
  ExprPtr cast();
  Over over();
  ExprPtr literal();
  std::vector<ExprPtr> list_of_expressions();

  // tokens
  const Token& peek(std::size_t ahead = 0) const;
  const Token& next();
  bool take(std::string_view keyword_or_symbol);
  void expect(std::string_view keyword_or_symbol, std::string_view where);
  Name name(std::string_view what);
  bool reserved(const Token& token) const;
  Span from(const Span& begin) const;
  [[noreturn]] void fail(const Token& at, std::string message, std::string suggestion = {});
  void report(const Span& at, std::string message, std::string suggestion = {});
  /// Goes to the next comma or clause outside brackets; false: it is not a comma.
  bool recover();
  /// Holds one level of nesting; too deep is a Fault.
  class Level;

  base::Diagnostics errors_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

class Parser::Level {
 public:
  explicit Level(Parser& parser);
  ~Level() { --parser_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Parser& parser_;
};

ExprPtr make_expr(Expr::Kind kind, const Span& span, std::string text = {});

}  // namespace infiniedge::stream
