// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.hpp"
#include "stream/bind.hpp"
#include "stream/kernels.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::int64_t kMaxWidth = 65'536;

std::string call_text(std::string_view name, const std::vector<NodePtr>& args) {
  std::string out(name);
  out += "(";
  for (std::size_t i = 0; i < args.size(); ++i) out += (i > 0 ? ", " : "") + args[i]->text;
  return out + ")";
}

Vec scale_unit(const Args& args) {
  return kernels::map_floats(args, [&](std::size_t i) {
    return args[0].number(i) * args[1].number(i) + args[2].number(i);
  });
}

}  // namespace

NodePtr Binder::call(const Expr& expr, Place place) {
  switch (kind_of_function(expr.text)) {
    case FunctionKind::Scalar:
      return scalar_call(expr, *find_function(expr.text), place);
    case FunctionKind::Special:
      return special_call(expr, place);
    case FunctionKind::Aggregate:
      return aggregate_call(expr, place);
    case FunctionKind::Analytic:
      return analytic_call(expr, place);
    case FunctionKind::Model:
      report(expr.span, "R004",
             "model() gives several values: name it as an item (model(…) AS m) and use m.label, "
             "m.score, m.route, m._err");
      return nullptr;
    case FunctionKind::None:
      return unknown_call(expr);
  }
  return nullptr;
}

NodePtr Binder::unknown_call(const Expr& expr) {
  constexpr struct {
    std::string_view other, ours;
  } kOthers[] = {{"mean", "avg"},        {"average", "avg"},       {"std", "stddev"},
                 {"variance", "var"},    {"median", "percentile"}, {"distinct", "count_distinct"},
                 {"ifelse", "CASE"},     {"len", "length"},        {"quantile", "percentile"},
                 {"predict", "model"},   {"infer", "model"},       {"first_value", "first"},
                 {"last_value", "last"}, {"max_by", "last"},       {"date_bin", "time_bucket"}};
  std::string near;
  for (const auto& entry : kOthers) {
    if (entry.other == expr.text) near = entry.ours;
  }
  if (near.empty()) near = base::suggest(expr.text, function_names()).value_or("");
  report({expr.span.line, expr.span.column, expr.span.column + static_cast<int>(expr.text.size())},
         "R004", fmt::format("no function \"{}\"", expr.text), near);
  return nullptr;
}

bool Binder::arity(const Expr& expr, std::size_t low, std::size_t high) {
  const auto n = expr.args.size();
  if (n >= low && n <= high && !expr.star) return true;
  const auto wanted = low == high    ? fmt::format("{}", low)
                      : high >= 1000 ? fmt::format("{} or more", low)
                                     : fmt::format("{} to {}", low, high);
  report(expr.span, "R004",
         fmt::format("{}() takes {} argument{}, found {}", expr.text, wanted,
                     low == 1 && high == 1 ? "" : "s", expr.star ? "*" : fmt::format("{}", n)));
  return false;
}

bool Binder::clauses_allowed(const Expr& expr, bool filter, bool over) {
  if (expr.filter && !filter) {
    report(expr.filter->span, "R004",
           fmt::format("FILTER belongs to aggregates, {}() is none", expr.text));
    return false;
  }
  if (expr.over && !over) {
    report(expr.span, "R004",
           fmt::format("OVER belongs to analytic functions, {}() is none", expr.text));
    return false;
  }
  if (expr.distinct && expr.text != "count") {
    report(expr.span, "R004",
           fmt::format("DISTINCT works in count() only, not in {}()", expr.text));
    return false;
  }
  return true;
}

NodePtr Binder::scalar_call(const Expr& expr, const Function& function, Place place) {
  if (!clauses_allowed(expr, false, false)) return nullptr;
  if (!arity(expr, function.min_args(), function.max_args())) return nullptr;
  std::vector<NodePtr> args;
  bool failed = false, ints = function.int_kernel != nullptr;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    auto arg = scalar_argument(*expr.args[i], function, i, place);
    failed |= !arg;
    ints &= arg && arg->type == Type::Int;
    args.push_back(std::move(arg));
  }
  if (failed) return nullptr;
  if (function.int_kernel != nullptr && !ints) {
    for (auto& arg : args) arg = to_type(arg, Type::Float);
  }
  std::optional<std::size_t> width;
  if (function.width_arg >= 0) {
    const auto& n = args[static_cast<std::size_t>(function.width_arg)]->value;
    width = static_cast<std::size_t>(n.integer(0));
  }
  const auto first = args.empty() ? nullptr : args[0];
  auto text = call_text(function.name, args);
  auto node = make_call(ints ? function.int_kernel : function.kernel,
                        ints ? Type::Int : function.result, std::move(args), std::move(text));
  if (width) {
    auto wide = std::make_shared<Node>(*node);
    wide->width = width;
    node = wide;
  }
  return function.keeps_unit && first ? with_unit_of(node, *first, false) : node;
}

NodePtr Binder::scalar_argument(const Expr& arg, const Function& function, std::size_t index,
                                Place place) {
  auto node = bind(arg, place);
  if (!node) return nullptr;
  const char want = function.param(index);
  const auto type = want == 's'   ? Type::String
                    : want == 'b' ? Type::Bytes
                    : want == 'f' ? Type::Float
                    : want == 'n' ? node->type
                                  : Type::Int;
  if (want == 'c' || want == 'z') {
    const bool whole = node->kind == Node::Kind::Constant && node->type == Type::Int;
    const auto n = whole ? node->value.integer(0) : -1;
    if (n >= (want == 'c' ? 1 : 0) && n <= kMaxWidth) return node;
    report(arg.span, "R004",
           fmt::format("argument {} of {}() is a whole constant from {} to {}", index + 1,
                       function.name, want == 'c' ? 1 : 0, kMaxWidth));
    return nullptr;
  }
  const bool number = node->type == Type::Int || node->type == Type::Float;
  const bool fits = node->untyped || node->type == type || (want == 'f' && number) ||
                    (want == 's' && (number || node->type == Type::Bool));
  if (fits && (want != 'n' || number))
    return to_type(node, node->untyped && want == 'n' ? Type::Float : type);
  report(arg.span, "R004",
         fmt::format("argument {} of {}() is a {}, found a {}", index + 1, function.name,
                     want == 'n' ? std::string_view("number") : to_string(type),
                     to_string(node->type)));
  return nullptr;
}

NodePtr Binder::special_call(const Expr& expr, Place place) {
  if (!clauses_allowed(expr, false, false)) return nullptr;
  const auto& name = expr.text;
  if (name == "time_bucket") return time_bucket(expr, place);
  if (name == "unit") return unit_call(expr, place);
  if (name == "window_start" || name == "window_end") return window_bound(expr, place);
  const bool two = name == "nullif" || name == "ifnull";
  if (!arity(expr, two ? 2 : 1, two ? 2 : 1000)) return nullptr;
  std::vector<NodePtr> args;
  bool failed = false;
  for (const auto& arg : expr.args) {
    auto node = bind(*arg, place);
    failed |= !node;
    args.push_back(std::move(node));
  }
  if (failed || !unify(args, expr, name + "()") || !same_units(args, expr)) return nullptr;
  const auto type = args[0]->type;
  const auto kernel = name == "nullif"     ? kernels::null_if(type)
                      : name == "greatest" ? kernels::greatest(type)
                      : name == "least"    ? kernels::least(type)
                                           : kernels::coalesce(type);
  const auto same_step = [&](const NodePtr& arg) {
    return arg->resolution == args[0]->resolution || arg->kind == Node::Kind::Constant;
  };
  const bool steps = name == "nullif" || std::all_of(args.begin(), args.end(), same_step);
  const bool constants = std::any_of(args.begin() + 1, args.end(), [](const NodePtr& arg) {
    return arg->kind == Node::Kind::Constant;
  });
  const auto first = args[0];
  auto text = call_text(name, args);
  auto node = make_call(kernel, type, std::move(args), std::move(text));
  return with_unit_of(node, *first, steps && (name == "nullif" || !constants));
}

NodePtr Binder::time_bucket(const Expr& expr, Place place) {
  if (!arity(expr, 2, 3)) return nullptr;
  std::vector<NodePtr> args;
  for (const auto& arg : expr.args) {
    auto node = bind(*arg, place);
    if (!node) return nullptr;
    if (node->type != Type::Int) {
      report(arg->span, "R004",
             "time_bucket() takes a duration and a time, as in time_bucket(1m, ts)");
      return nullptr;
    }
    args.push_back(std::move(node));
  }
  auto text = call_text("time_bucket", args);
  return make_call(kernels::time_bucket(), Type::Int, std::move(args), std::move(text));
}

NodePtr Binder::unit_call(const Expr& expr, Place place) {
  if (!arity(expr, 2, 2)) return nullptr;
  auto value = bind(*expr.args[0], place);
  if (!value) return nullptr;
  const auto& to = *expr.args[1];
  if (to.kind != Expr::Kind::String || (value->type != Type::Float && value->type != Type::Int)) {
    report(expr.span, "R004", "unit() takes a number and a unit, as in unit(temp, '[degF]')");
    return nullptr;
  }
  const auto found = conversion(value->unit, to.text);
  if (!found) {
    report(to.span, "R006",
           value->unit.empty()
               ? fmt::format("{} has no unit to convert from", value->text)
               : fmt::format("no conversion from {} to {} is known", value->unit, to.text));
    return nullptr;
  }
  auto text = fmt::format("unit({}, '{}')", value->text, to.text);
  auto node =
      make_call(scale_unit, Type::Float,
                {to_type(value, Type::Float),
                 make_constant(Type::Float, found->factor, fmt::format("{}", found->factor)),
                 make_constant(Type::Float, found->offset, fmt::format("{}", found->offset))},
                std::move(text));
  auto out = std::make_shared<Node>(*node);
  out->unit = to.text;
  return out;
}

NodePtr Binder::window_bound(const Expr& expr, Place place) {
  if (!arity(expr, 0, 0)) return nullptr;
  if (place != Place::Group || window_ == nullptr) {
    report(expr.span, "R005",
           fmt::format("{}() needs a window: GROUP BY …, TUMBLE(10s)", expr.text));
    return nullptr;
  }
  return local_column(expr.text == "window_start" ? kWindowStart : kWindowEnd, Type::Int,
                      expr.text + "()");
}

NodePtr Binder::aggregate_call(const Expr& expr, Place place) {
  if (place != Place::Group || window_ == nullptr) {
    report(expr.span, "R004",
           fmt::format("{}() cannot stand here: aggregates belong to the items and HAVING of a "
                       "rule with a window",
                       expr.text));
    return nullptr;
  }
  if (!clauses_allowed(expr, true, false)) return nullptr;
  auto call = aggregate_arguments(expr);
  if (!call) return nullptr;
  auto& calls = window_->calls;
  const auto same = [&](const auto& other) { return other.text == call->text; };
  const auto found = std::find_if(calls.begin(), calls.end(), same);
  const auto index = static_cast<std::size_t>(found - calls.begin());
  const auto made = make_aggregate(call->spec);
  auto node =
      local_column(kFirstKey + window_->keys.size() + index, made->result_type(), call->text);
  constexpr std::string_view kSame[] = {"min", "max", "first", "last"};
  constexpr std::string_view kSameUnit[] = {"avg", "sum", "stddev", "rms", "p2p", "percentile"};
  const bool exact = std::find(std::begin(kSame), std::end(kSame), expr.text) != std::end(kSame);
  const bool unit = exact || std::find(std::begin(kSameUnit), std::end(kSameUnit), expr.text) !=
                                 std::end(kSameUnit);
  if (call->value && unit) node = with_unit_of(node, *call->value, exact);
  if (found == calls.end()) calls.push_back(std::move(*call));
  return node;
}

std::optional<WindowPlan::Call> Binder::aggregate_arguments(const Expr& expr) {
  WindowPlan::Call out;
  out.text = to_text(expr);
  out.spec.name = expr.text;
  out.spec.distinct = expr.distinct;
  out.spec.star = expr.star || (expr.text == "count" && expr.args.empty());
  if (expr.filter) {
    out.filter = bind_condition(*expr.filter, Place::Row, "FILTER");
    if (!out.filter) return std::nullopt;
  }
  if (out.spec.star) {
    if (expr.text == "count" && !expr.distinct) return out;
    report(expr.span, "R004", fmt::format("{}(*) means nothing; only count(*) does", expr.text));
    return std::nullopt;
  }
  const std::size_t n = expr.text == "percentile" ? 2 : 1;
  if (!arity(expr, n, n)) return std::nullopt;
  out.value = bind(*expr.args[0], Place::Row);
  if (!out.value) return std::nullopt;
  if (n == 2) {
    const auto p = constant(*expr.args[1], Type::Float, "the second argument of percentile()");
    if (!p) return std::nullopt;
    out.spec.parameter = std::holds_alternative<double>(*p) ? std::get<double>(*p) : -1;
    if (out.spec.parameter < 0 || out.spec.parameter > 1) {
      report(expr.args[1]->span, "R004", "percentile() takes a share from 0 to 1",
             out.spec.parameter > 1 && out.spec.parameter <= 100
                 ? fmt::format("{}", out.spec.parameter / 100)
                 : "");
      return std::nullopt;
    }
  }
  // Whole numbers stay whole where that matters; the rest computes with numbers.
  constexpr std::string_view kAnyType[] = {"min", "max",   "first",         "last",
                                           "sum", "count", "count_distinct"};
  const bool any =
      std::find(std::begin(kAnyType), std::end(kAnyType), expr.text) != std::end(kAnyType);
  const bool whole = out.value->type == Type::Int || out.value->untyped;
  if (whole && !any) out.value = to_type(out.value, Type::Float);
  out.spec.type = out.value->type;
  if (make_aggregate(out.spec)) return out;
  report(expr.args[0]->span, "R004",
         fmt::format("{}() needs a number, found a {}", expr.text, to_string(out.value->type)));
  return std::nullopt;
}

}  // namespace infiniedge::stream
