// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>

#include "stream/parser_state.hpp"

namespace infiniedge::stream {
namespace {

ExprPtr binary(std::string text, ExprPtr left, ExprPtr right, const Span& span) {
  auto expr = make_expr(Expr::Kind::Binary, span, std::move(text));
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(right));
  return expr;
}

// A chain such as a + b + c + … makes a tree as deep as it is long: what walks it recurses.
constexpr int kMaxChain = 400;

}  // namespace

ExprPtr Parser::expression() {
  const Level level(*this);
  auto left = conjunction();
  for (int links = 0; peek().is("OR"); ++links) {
    if (links > kMaxChain) fail(peek(), "more than 400 terms; use IN or another rule");
    next();
    const auto span = left->span;
    auto right = conjunction();
    left = binary("OR", std::move(left), std::move(right), from(span));
  }
  return left;
}

ExprPtr Parser::conjunction() {
  auto left = negation();
  for (int links = 0; peek().is("AND"); ++links) {
    if (links > kMaxChain) fail(peek(), "more than 400 terms; use another rule");
    next();
    const auto span = left->span;
    auto right = negation();
    left = binary("AND", std::move(left), std::move(right), from(span));
  }
  return left;
}

ExprPtr Parser::negation() {
  if (!peek().is("NOT")) return comparison();
  const Level level(*this);
  const auto span = next().span;
  auto expr = make_expr(Expr::Kind::Unary, span, "NOT");
  expr->args.push_back(negation());
  expr->span = from(span);
  return expr;
}

ExprPtr Parser::comparison() {
  auto left = concatenation();
  constexpr std::string_view kOperators[] = {"=", "<>", "<=", ">=", "<", ">"};
  for (const auto op : kOperators) {
    if (!peek().is(op)) continue;
    next();
    const auto span = left->span;
    auto right = concatenation();
    return binary(std::string(op), std::move(left), std::move(right), from(span));
  }
  return comparison_tail(std::move(left));
}

ExprPtr Parser::comparison_tail(ExprPtr left) {
  const auto span = left->span;
  const auto start = [&](Expr::Kind kind, bool negated) {
    auto expr = make_expr(kind, span);
    expr->negated = negated;
    expr->args.push_back(std::move(left));
    return expr;
  };
  if (take("IS")) {
    auto expr = start(Expr::Kind::IsNull, take("NOT"));
    expect("NULL", "after IS");
    expr->span = from(span);
    return expr;
  }
  const bool negated = peek().is("NOT");
  const auto& word = peek(negated ? 1 : 0);
  if (!word.is("BETWEEN") && !word.is("IN") && !word.is("LIKE")) return left;
  if (negated) next();
  next();
  ExprPtr expr;
  if (word.is("BETWEEN")) {
    expr = start(Expr::Kind::Between, negated);
    expr->args.push_back(concatenation());
    expect("AND", "between the bounds of BETWEEN");
    expr->args.push_back(concatenation());
  } else if (word.is("LIKE")) {
    expr = start(Expr::Kind::Like, negated);
    expr->args.push_back(concatenation());
  } else {
    expr = start(Expr::Kind::In, negated);
    expect("(", "after IN");
    for (auto& candidate : list_of_expressions()) expr->args.push_back(std::move(candidate));
    expect(")", "after the list of IN");
  }
  expr->span = from(span);
  return expr;
}

ExprPtr Parser::concatenation() {
  auto left = sum();
  for (int links = 0; peek().is("||"); ++links) {
    if (links > kMaxChain) fail(peek(), "more than 400 terms");
    next();
    const auto span = left->span;
    auto right = sum();
    left = binary("||", std::move(left), std::move(right), from(span));
  }
  return left;
}

ExprPtr Parser::sum() {
  auto left = product();
  for (int links = 0; peek().is("+") || peek().is("-"); ++links) {
    if (links > kMaxChain) fail(peek(), "more than 400 terms");
    const auto op = next().text;
    const auto span = left->span;
    auto right = product();
    left = binary(op, std::move(left), std::move(right), from(span));
  }
  return left;
}

ExprPtr Parser::product() {
  auto left = unary();
  for (int links = 0; peek().is("*") || peek().is("/") || peek().is("%"); ++links) {
    if (links > kMaxChain) fail(peek(), "more than 400 terms");
    const auto op = next().text;
    const auto span = left->span;
    auto right = unary();
    left = binary(op, std::move(left), std::move(right), from(span));
  }
  return left;
}

ExprPtr Parser::unary() {
  if (!peek().is("-")) return primary();
  const Level level(*this);
  const auto span = next().span;
  auto expr = make_expr(Expr::Kind::Unary, span, "-");
  expr->args.push_back(unary());
  expr->span = from(span);
  return expr;
}

ExprPtr Parser::primary() {
  const auto& token = peek();
  if (token.is("(")) {
    next();
    auto expr = expression();
    expect(")", "after the expression in brackets");
    return expr;
  }
  if (token.is("CASE")) return case_of();
  if (token.is("CAST") && peek(1).is("(")) return cast();
  const bool quoted = token.kind == Token::Kind::Quoted;
  const bool word = token.kind == Token::Kind::Name && !token.is("NULL") && !token.is("TRUE") &&
                    !token.is("FALSE");
  if (quoted || word) return name_or_call();
  return literal();
}

ExprPtr Parser::literal() {
  const auto& token = peek();
  auto expr = make_expr(Expr::Kind::Null, token.span, token.text);
  expr->integer = token.integer;
  expr->number = token.number;
  switch (token.kind) {
    case Token::Kind::Int:
      expr->kind = Expr::Kind::Int;
      break;
    case Token::Kind::Float:
      expr->kind = Expr::Kind::Float;
      break;
    case Token::Kind::Duration:
      expr->kind = Expr::Kind::Duration;
      break;
    case Token::Kind::String:
      expr->kind = Expr::Kind::String;
      break;
    case Token::Kind::Name:
      expr->kind = token.is("NULL") ? Expr::Kind::Null : Expr::Kind::Bool;
      expr->integer = token.is("TRUE") ? 1 : 0;
      break;
    case Token::Kind::Symbol:
      fail(token,
           fmt::format("expected a value, a column or a function, found \"{}\"", token.text));
    default:
      fail(token, "expected a value, a column or a function, found the end");
  }
  next();
  return expr;
}

ExprPtr Parser::name_or_call() {
  const auto& token = peek();
  if (reserved(token)) {
    // FILTER and OVER are also plain words when nothing marks them as clauses.
    fail(token, fmt::format("expected a value, a column or a function, found {}", token.upper));
  }
  next();
  if (token.kind == Token::Kind::Name && peek().is("(")) return call(token);
  auto expr = make_expr(Expr::Kind::Name, token.span, token.text);
  if (take(".")) {
    expr->qualifier = token.text;
    const auto& member = peek();
    if (member.kind != Token::Kind::Name && member.kind != Token::Kind::Quoted) {
      fail(member, fmt::format("expected a column after \"{}.\"", token.text));
    }
    expr->text = next().text;
    expr->span = from(token.span);
  }
  return expr;
}

ExprPtr Parser::call(const Token& name) {
  const Level level(*this);
  auto expr = make_expr(Expr::Kind::Call, name.span, name.text);
  for (auto& c : expr->text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  expect("(", "after the function's name");
  if (take("*")) {
    expr->star = true;
  } else if (!peek().is(")")) {
    expr->distinct = take("DISTINCT");
    expr->args = list_of_expressions();
  }
  expect(")", fmt::format("after the arguments of {}", expr->text));
  if (peek().is("FILTER") && peek(1).is("(")) {
    next();
    next();
    expect("WHERE", "in FILTER");
    expr->filter = expression();
    expect(")", "after the filter");
  }
  if (take("OVER")) expr->over = over();
  expr->span = from(name.span);
  return expr;
}

Over Parser::over() {
  Over out;
  expect("(", "after OVER");
  if (take("PARTITION")) {
    expect("BY", "after PARTITION");
    out.partition = list_of_expressions();
  }
  if (take("WHEN")) out.when = expression();
  expect(")", "after OVER (");
  return out;
}

ExprPtr Parser::case_of() {
  const Level level(*this);
  const auto span = next().span;
  auto expr = make_expr(Expr::Kind::Case, span);
  while (take("WHEN")) {
    if (expr->args.size() > 2 * kMaxChain) fail(peek(), "more than 400 branches");
    expr->args.push_back(expression());
    expect("THEN", "after WHEN");
    expr->args.push_back(expression());
  }
  if (expr->args.empty()) fail(peek(), "expected WHEN after CASE");
  if (take("ELSE")) expr->args.push_back(expression());
  expect("END", "after the branches of CASE");
  expr->span = from(span);
  return expr;
}

ExprPtr Parser::cast() {
  const Level level(*this);
  const auto span = next().span;
  auto expr = make_expr(Expr::Kind::Cast, span);
  expect("(", "after CAST");
  expr->args.push_back(expression());
  expect("AS", "in CAST");
  expr->text = name("a type").text;
  for (auto& c : expr->text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  expect(")", "after the type");
  expr->span = from(span);
  return expr;
}

std::vector<ExprPtr> Parser::list_of_expressions() {
  std::vector<ExprPtr> out;
  do {
    if (out.size() >= 1000) fail(peek(), "more than 1,000 elements");
    out.push_back(expression());
  } while (take(","));
  return out;
}

}  // namespace infiniedge::stream
