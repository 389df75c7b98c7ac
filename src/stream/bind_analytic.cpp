// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "stream/bind.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::int64_t kMaxLag = 10'000;

bool is_whole(const Scalar& value) { return std::holds_alternative<std::int64_t>(value); }

}  // namespace

std::optional<Scalar> Binder::constant(const Expr& arg, Type type, std::string_view what) {
  auto node = bind(arg, Place::Row);
  if (!node) return std::nullopt;
  const bool fits =
      node->untyped || node->type == type || (node->type == Type::Int && type == Type::Float);
  if (node->kind == Node::Kind::Constant && fits) return to_type(node, type)->value.scalar(0);
  report(arg.span, "R004", fmt::format("{} is a constant {}", what, to_string(type)));
  return std::nullopt;
}

NodePtr Binder::analytic_call(const Expr& expr, Place place) {
  if (place == Place::Group) {
    report(expr.span, "R004",
           fmt::format("{}() looks at input rows: put it inside an aggregate", expr.text),
           fmt::format("last({})", to_text(expr)));
    return nullptr;
  }
  if (!clauses_allowed(expr, false, true)) return nullptr;
  AnalyticCall made;
  made.name = expr.text;
  made.text = to_text(expr);
  if (!analytic_arguments(expr, made) || !over_clause(expr, made)) return nullptr;
  const auto& first = made.args[0];
  const auto same = [&](const AnalyticCall& other) { return other.text == made.text; };
  const auto found = std::find_if(analytics_.begin(), analytics_.end(), same);
  const auto index = static_cast<std::size_t>(found - analytics_.begin());
  auto node = local_column(first_analytic_ + index, made.type, made.text);
  constexpr std::string_view kSame[] = {"lag", "latest", "changed_col"};
  constexpr std::string_view kUnit[] = {"delta",   "ewma",    "acc_sum",
                                        "acc_min", "acc_max", "acc_avg"};
  const bool exact = std::find(std::begin(kSame), std::end(kSame), expr.text) != std::end(kSame);
  const bool unit =
      exact || std::find(std::begin(kUnit), std::end(kUnit), expr.text) != std::end(kUnit);
  if (unit) node = with_unit_of(node, *first, exact);
  if (found == analytics_.end()) analytics_.push_back(std::move(made));
  return node;
}

bool Binder::analytic_arguments(const Expr& expr, AnalyticCall& call) {
  if (expr.text == "lag" || expr.text == "latest") return lag_options(expr, call);
  if (expr.text == "had_changed" || expr.text == "changed_col") return change_options(expr, call);
  return numeric_options(expr, call);
}

bool Binder::lag_options(const Expr& expr, AnalyticCall& call) {
  const bool lag = expr.text == "lag";
  if (!arity(expr, 1, lag ? 4 : 2)) return false;
  auto value = bind(*expr.args[0], Place::Row);
  if (!value) return false;
  call.type = value->type;
  call.args.push_back(value);
  Scalar n = std::int64_t{1}, fallback, ignore;
  if (lag && expr.args.size() > 1) {
    const auto given = constant(*expr.args[1], Type::Int, "the second argument of lag()");
    if (!given) return false;
    const bool fits = is_whole(*given) && std::get<std::int64_t>(*given) >= 1 &&
                      std::get<std::int64_t>(*given) <= kMaxLag;
    if (!fits) {
      report(expr.args[1]->span, "R007", fmt::format("lag() looks back 1 to {} rows", kMaxLag));
      return false;
    }
    n = *given;
  }
  const std::size_t at = lag ? 2 : 1;
  if (expr.args.size() > at) {
    const auto given = constant(*expr.args[at], call.type, "the default");
    if (!given) return false;
    fallback = *given;
  }
  if (expr.args.size() > 3) {
    const auto given = constant(*expr.args[3], Type::Bool, "ignore_null");
    if (!given) return false;
    ignore = *given;
  }
  if (lag) {
    call.options = {n, fallback, ignore};
  } else {
    call.options = {fallback};
  }
  return true;
}

bool Binder::change_options(const Expr& expr, AnalyticCall& call) {
  const bool column = expr.text == "changed_col";
  if (!arity(expr, 2, column ? 2 : 1000)) return false;
  const auto ignore =
      constant(*expr.args[0], Type::Bool, "the first argument, whether NULL is no change,");
  if (!ignore) return false;
  call.options = {*ignore};
  for (std::size_t i = 1; i < expr.args.size(); ++i) {
    auto value = bind(*expr.args[i], Place::Row);
    if (!value) return false;
    call.args.push_back(std::move(value));
  }
  call.type = column ? call.args[0]->type : Type::Bool;
  return true;
}

bool Binder::numeric_options(const Expr& expr, AnalyticCall& call) {
  const auto& name = expr.text;
  const bool pair = name == "ewma" || name == "deadband";
  if (!arity(expr, pair ? 2 : 1, name == "deadband" ? 3 : pair || name == "rate" ? 2 : 1)) {
    return false;
  }
  auto value = bind(*expr.args[0], Place::Row);
  if (!value) return false;
  const bool number = value->type == Type::Int || value->type == Type::Float;
  if (!number && name != "acc_count") {
    report(expr.args[0]->span, "R004",
           fmt::format("{}() needs a number, found a {}", name, to_string(value->type)));
    return false;
  }
  call.type = name == "deadband" ? Type::Bool : name == "acc_count" ? Type::Int : Type::Float;
  if (name == "delta") call.type = value->type;
  if (name != "delta" && name != "acc_count") value = to_type(value, Type::Float);
  call.args.push_back(value);
  if (name == "rate") {
    Scalar counter = std::int64_t{0};
    if (expr.args.size() > 1) {
      const auto given = constant(*expr.args[1], Type::String, "the second argument of rate()");
      if (!given) return false;
      if (*given != Scalar{std::string("counter")}) {
        report(expr.args[1]->span, "R004", "the only option of rate() is 'counter'", "counter");
        return false;
      }
      counter = std::int64_t{1};
    }
    call.options = {counter};
  }
  if (!pair) return true;
  const bool smooth = name == "ewma";
  const auto width = constant(*expr.args[1], smooth ? Type::Int : Type::Float,
                              smooth ? "the half-life of ewma(), as 30s," : "the width");
  if (!width) return false;
  const bool positive =
      is_whole(*width) ? std::get<std::int64_t>(*width) > 0
                       : std::holds_alternative<double>(*width) && std::get<double>(*width) >= 0;
  if (!positive) {
    report(expr.args[1]->span, "R004", fmt::format("this argument of {}() is positive", name));
    return false;
  }
  call.options = {*width, std::monostate{}};
  if (expr.args.size() > 2) {
    const auto gap = constant(*expr.args[2], Type::Int, "the longest gap, as 1m,");
    if (!gap) return false;
    call.options[1] = *gap;
  }
  return true;
}

bool Binder::over_clause(const Expr& expr, AnalyticCall& call) {
  if (!expr.over) return true;
  call.scope =
      expr.over->partition.empty() ? AnalyticCall::Scope::Stream : AnalyticCall::Scope::Partition;
  // OVER (WHEN …) alone narrows the rows, not the neighbourhood.
  if (expr.over->partition.empty() && expr.over->when) call.scope = AnalyticCall::Scope::Device;
  for (const auto& part : expr.over->partition) {
    auto node = bind(*part, Place::Row);
    if (!node) return false;
    call.partition.push_back(std::move(node));
  }
  if (!expr.over->when) return true;
  call.when = bind_condition(*expr.over->when, Place::Row, "WHEN");
  return call.when != nullptr;
}

}  // namespace infiniedge::stream
