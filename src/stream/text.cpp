// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "stream/ast.hpp"

namespace infiniedge::stream {
namespace {

std::string quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

/// Shortest digits that read back the same, and never like a whole number.
std::string number_text(double value) {
  auto out = fmt::format("{}", value);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string list(const std::vector<ExprPtr>& exprs, std::size_t from = 0) {
  std::string out;
  for (std::size_t i = from; i < exprs.size(); ++i) {
    if (i > from) out += ", ";
    out += to_text(*exprs[i]);
  }
  return out;
}

std::string call_text(const Expr& e) {
  auto out = e.text + "(" + (e.distinct ? "DISTINCT " : "") + (e.star ? "*" : list(e.args)) + ")";
  if (e.filter) out += " FILTER (WHERE " + to_text(*e.filter) + ")";
  if (!e.over) return out;
  out += " OVER (";
  if (!e.over->partition.empty()) out += "PARTITION BY " + list(e.over->partition);
  if (e.over->when) out += " WHEN " + to_text(*e.over->when);
  return out + ")";
}

std::string case_text(const Expr& e) {
  std::string out = "CASE";
  std::size_t i = 0;
  for (; i + 1 < e.args.size(); i += 2) {
    out += " WHEN " + to_text(*e.args[i]) + " THEN " + to_text(*e.args[i + 1]);
  }
  if (i < e.args.size()) out += " ELSE " + to_text(*e.args[i]);
  return out + " END";
}

}  // namespace

std::string to_text(const Expr& e) {
  const std::string negation = e.negated ? "NOT " : "";
  switch (e.kind) {
    case Expr::Kind::Null:
      return "NULL";
    case Expr::Kind::Bool:
      return e.integer != 0 ? "TRUE" : "FALSE";
    case Expr::Kind::Int:
      return fmt::format("{}", e.integer);
    case Expr::Kind::Duration:
      return fmt::format("{}us", e.integer);
    case Expr::Kind::Float:
      return number_text(e.number);
    case Expr::Kind::String:
      return quote(e.text);
    case Expr::Kind::Name:
      return e.qualifier.empty() ? e.text : e.qualifier + "." + e.text;
    case Expr::Kind::Call:
      return call_text(e);
    case Expr::Kind::Unary:
      return e.text + " (" + to_text(*e.args[0]) + ")";
    case Expr::Kind::Binary:
      return "(" + to_text(*e.args[0]) + " " + e.text + " " + to_text(*e.args[1]) + ")";
    case Expr::Kind::Between:
      return fmt::format("({} {}BETWEEN {} AND {})", to_text(*e.args[0]), negation,
                         to_text(*e.args[1]), to_text(*e.args[2]));
    case Expr::Kind::In:
      return fmt::format("({} {}IN ({}))", to_text(*e.args[0]), negation, list(e.args, 1));
    case Expr::Kind::Like:
      return fmt::format("({} {}LIKE {})", to_text(*e.args[0]), negation, to_text(*e.args[1]));
    case Expr::Kind::IsNull:
      return fmt::format("({} IS {}NULL)", to_text(*e.args[0]), negation);
    case Expr::Kind::Case:
      return case_text(e);
    case Expr::Kind::Cast:
      return fmt::format("CAST({} AS {})", to_text(*e.args[0]), e.text);
  }
  return {};
}

}  // namespace infiniedge::stream
