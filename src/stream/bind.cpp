// SPDX-License-Identifier: Apache-2.0
#include "stream/bind.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.hpp"
#include "stream/kernels.hpp"

namespace infiniedge::stream {
namespace {

bool is_number(Type type) { return type == Type::Int || type == Type::Float; }

/// An error names at most eight of the names that would have been right.
std::string choices(const std::vector<std::string>& names) {
  const auto n = std::min<std::size_t>(names.size(), 8);
  std::string out =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(n), ", "));
  return names.size() > n ? out + ", …" : out;
}

Operator operator_of(std::string_view op) {
  if (op == "=") return Operator::Equal;
  if (op == "<") return Operator::Less;
  if (op == "<=") return Operator::LessEqual;
  if (op == ">") return Operator::Greater;
  return op == ">=" ? Operator::GreaterEqual : Operator::None;
}

}  // namespace

void Binder::report(const Span& at, std::string id, std::string message, std::string suggestion) {
  errors_.push_back({.line = at.line,
                     .column = at.column,
                     .end = at.end,
                     .id = std::move(id),
                     .message = std::move(message),
                     .suggestion = std::move(suggestion)});
}

NodePtr Binder::bind(const Expr& expr, Place place) {
  if (place == Place::Group) {
    const auto text = to_text(expr);
    const auto found = std::find(group_texts_.begin(), group_texts_.end(), text);
    if (found != group_texts_.end()) {
      const auto i = static_cast<std::size_t>(found - group_texts_.begin());
      const auto& key = window_->keys[i];
      return with_unit_of(local_column(kFirstKey + i, key->type, text), *key, true);
    }
  }
  switch (expr.kind) {
    case Expr::Kind::Null: {
      auto node = std::make_shared<Node>(*make_constant(Type::Float, std::monostate{}, "NULL"));
      node->untyped = true;
      return node;
    }
    case Expr::Kind::Bool:
      return make_constant(Type::Bool, expr.integer, to_text(expr));
    case Expr::Kind::Int:
      return make_constant(Type::Int, expr.integer, to_text(expr));
    case Expr::Kind::Duration:
      return make_constant(Type::Int, expr.integer, to_text(expr));
    case Expr::Kind::Float:
      return make_constant(Type::Float, expr.number, to_text(expr));
    case Expr::Kind::String:
      return make_constant(Type::String, expr.text, to_text(expr));
    case Expr::Kind::Name:
      return name(expr, place);
    case Expr::Kind::Call:
      return call(expr, place);
    case Expr::Kind::Unary:
      return unary(expr, place);
    case Expr::Kind::Binary:
      return binary(expr, place);
    case Expr::Kind::Between:
      return between(expr, place);
    case Expr::Kind::In:
      return in_list(expr, place);
    case Expr::Kind::Like:
      return like(expr, place);
    case Expr::Kind::IsNull: {
      auto value = bind(*expr.args[0], place);
      if (!value) return nullptr;
      auto text = fmt::format("({} IS {}NULL)", value->text, expr.negated ? "NOT " : "");
      return make_call(kernels::is_null(expr.negated), Type::Bool, {std::move(value)}, text);
    }
    case Expr::Kind::Case:
      return case_of(expr, place);
    case Expr::Kind::Cast:
      return cast(expr, place);
  }
  return nullptr;
}

NodePtr Binder::bind_condition(const Expr& expr, Place place, std::string_view what) {
  auto node = bind(expr, place);
  if (!node || node->type == Type::Bool) return node;
  if (node->untyped) return to_type(node, Type::Bool);
  report(expr.span, "R004",
         fmt::format("{} needs a condition, found a {}", what, to_string(node->type)));
  return nullptr;
}

void Binder::set_groups(const std::vector<const Expr*>& groups, WindowPlan& window) {
  window_ = &window;
  for (const auto* group : groups) {
    auto node = bind(*group, Place::Row);
    if (!node) continue;
    if (node->kind == Node::Kind::Device) window.device_key = window.keys.size();
    window.keys.push_back(node);
    group_texts_.push_back(to_text(*group));
  }
}

void Binder::define(const std::string& name, NodePtr node) { defined_[name] = std::move(node); }
void Binder::define_member(const std::string& alias, const std::string& member, NodePtr node) {
  defined_[alias + "." + member] = node;
  defined_[alias + "_" + (member.starts_with('_') ? member.substr(1) : member)] = node;
}

NodePtr Binder::local_column(std::size_t index, Type type, std::string text) const {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::Column;
  node->type = type;
  node->column = index;
  node->local = true;
  node->text = std::move(text);
  node->key = key_of(fmt::format("column {} {}", index, node->text));
  return node;
}

NodePtr Binder::name(const Expr& expr, Place place) {
  if (place == Place::Row) {
    if (auto node = input_name(expr)) return node;
  }
  const auto full = expr.qualifier.empty() ? expr.text : expr.qualifier + "." + expr.text;
  if (const auto found = defined_.find(full); found != defined_.end()) return found->second;
  return unknown_name(expr, place);
}

NodePtr Binder::input_name(const Expr& expr) {
  auto node = std::make_shared<Node>();
  auto column = expr.text;
  const bool own =
      expr.qualifier.empty() || expr.qualifier == input_.stream || expr.qualifier == source_alias_;
  // A model's answer of an earlier rule: state.label is its column state_label.
  if (!own) column = expr.qualifier + "_" + column.substr(column.starts_with('_') ? 1 : 0);
  node->text = column;
  node->type = column == "device" ? Type::String : Type::Int;
  if (const auto at = input_.find(column)) {
    const auto& field = input_.fields[*at];
    node->kind = Node::Kind::Column;
    node->column = *at;
    node->type = field.type == Type::Decimal ? Type::Float : field.type;
    node->resolution = field.type == Type::Decimal ? field.resolution : std::nullopt;
    node->unit = field.unit;
  } else if (own && column == "device") {
    node->kind = Node::Kind::Device;
  } else if (own && column == "ts") {
    node->kind = Node::Kind::Time;
  } else if (own && column == "_q") {
    node->kind = Node::Kind::Quality;
  } else {
    return nullptr;
  }
  node->key = key_of("column " + node->text);
  return node;
}

NodePtr Binder::unknown_name(const Expr& expr, Place place) {
  if (place == Place::Group && input_name(expr)) {
    report(expr.span, "R004",
           fmt::format("\"{}\" must stand in GROUP BY or inside an aggregate", expr.text),
           fmt::format("last({})", expr.text));
    return nullptr;
  }
  std::vector<std::string> names;
  for (const auto& field : input_.fields) names.push_back(field.name);
  names.insert(names.end(), {"device", "ts"});
  for (const auto& [defined, node] : defined_) names.push_back(defined);
  const auto full = expr.qualifier.empty() ? expr.text : expr.qualifier + "." + expr.text;
  auto near = base::suggest(full, names);
  if (!near) near = base::suggest(expr.text, names);
  auto message = fmt::format("no column \"{}\" in {}", full, input_.stream);
  if (!near) message += fmt::format("; it has {}", choices(names));
  report(expr.span, "R003", std::move(message), near.value_or(""));
  return nullptr;
}

NodePtr Binder::unary(const Expr& expr, Place place) {
  if (expr.text == "NOT") {
    auto value = bind_condition(*expr.args[0], place, "NOT");
    if (!value) return nullptr;
    auto text = "NOT " + value->text;
    return make_call(kernels::negation(), Type::Bool, {std::move(value)}, std::move(text));
  }
  auto value = bind(*expr.args[0], place);
  if (!value) return nullptr;
  if (!is_number(value->type)) {
    report(expr.span, "R004",
           fmt::format("\"-\" needs a number, found a {}", to_string(value->type)));
    return nullptr;
  }
  const auto from = value;
  auto text = "-" + value->text;
  auto node =
      make_call(kernels::negate(value->type), value->type, {std::move(value)}, std::move(text));
  return with_unit_of(node, *from, true);
}

NodePtr Binder::binary(const Expr& expr, Place place) {
  if (expr.text == "AND" || expr.text == "OR") {
    auto left = bind_condition(*expr.args[0], place, expr.text);
    auto right = bind_condition(*expr.args[1], place, expr.text);
    if (!left || !right) return nullptr;
    auto text = fmt::format("({} {} {})", left->text, expr.text, right->text);
    const auto kernel = expr.text == "AND" ? kernels::conjunction() : kernels::disjunction();
    return make_call(kernel, Type::Bool, {std::move(left), std::move(right)}, std::move(text),
                     expr.text == "AND" ? Operator::And : Operator::None);
  }
  auto left = bind(*expr.args[0], place);
  auto right = bind(*expr.args[1], place);
  if (!left || !right) return nullptr;
  if (expr.text == "||") {
    auto text = fmt::format("({} || {})", left->text, right->text);
    for (auto* side : {&left, &right}) {
      if ((*side)->type == Type::Bytes) {
        report(expr.span, "R004", "\"||\" joins texts, found bytes");
        return nullptr;
      }
      *side = to_type(*side, Type::String);
    }
    return make_call(find_function("concat")->kernel, Type::String,
                     {std::move(left), std::move(right)}, std::move(text));
  }
  constexpr std::string_view kArithmetic = "+-*/%";
  if (kArithmetic.find(expr.text) != std::string_view::npos) {
    return arithmetic(expr, std::move(left), std::move(right));
  }
  return comparison(expr, expr.text, std::move(left), std::move(right));
}

NodePtr Binder::arithmetic(const Expr& expr, NodePtr left, NodePtr right) {
  for (const auto* side : {&left, &right}) {
    if (is_number((*side)->type) || (*side)->untyped) continue;
    const auto hint = (*side)->type == Type::String && expr.text == "+"
                          ? std::string("; texts are joined by ||")
                          : std::string();
    report(expr.span, "R004",
           fmt::format("\"{}\" needs numbers, found a {}{}", expr.text, to_string((*side)->type),
                       hint),
           hint.empty() ? "" : "||");
    return nullptr;
  }
  const bool additive = expr.text == "+" || expr.text == "-" || expr.text == "%";
  if (additive && !same_units({left, right}, expr)) return nullptr;
  const bool ints = left->type == Type::Int && right->type == Type::Int && expr.text != "/";
  const auto type = ints ? Type::Int : Type::Float;
  const auto left_unit = left->unit, right_unit = right->unit;
  const bool scaled = right->kind == Node::Kind::Constant,
             scales = left->kind == Node::Kind::Constant;
  auto text = fmt::format("({} {} {})", left->text, expr.text, right->text);
  auto made = make_call(kernels::arithmetic(expr.text, type), type,
                        {to_type(left, type), to_type(right, type)}, std::move(text));
  std::string unit;
  if (additive) unit = left_unit.empty() ? right_unit : left_unit;
  if (!additive && scaled) unit = left_unit;
  if (expr.text == "*" && scales) unit = right_unit;
  if (unit.empty()) return made;
  auto node = std::make_shared<Node>(*made);
  node->unit = unit;
  return node;
}

NodePtr Binder::comparison(const Expr& expr, std::string_view op, NodePtr left, NodePtr right) {
  std::vector<NodePtr> sides{std::move(left), std::move(right)};
  if (!unify(sides, expr, fmt::format("\"{}\"", op)) || !same_units(sides, expr)) return nullptr;
  auto text = fmt::format("({} {} {})", sides[0]->text, op, sides[1]->text);
  const auto type = sides[0]->type;
  return make_call(kernels::comparison(op, type), Type::Bool, std::move(sides), std::move(text),
                   operator_of(op));
}

NodePtr Binder::between(const Expr& expr, Place place) {
  auto value = bind(*expr.args[0], place);
  auto low = bind(*expr.args[1], place);
  auto high = bind(*expr.args[2], place);
  if (!value || !low || !high) return nullptr;
  auto above = comparison(expr, ">=", value, std::move(low));
  if (!above) return nullptr;
  auto below = comparison(expr, "<=", value, std::move(high));
  if (!below) return nullptr;
  auto text = fmt::format("({} AND {})", above->text, below->text);
  auto both = make_call(kernels::conjunction(), Type::Bool, {std::move(above), std::move(below)},
                        std::move(text), Operator::And);
  if (!expr.negated) return both;
  auto negated = "NOT " + both->text;
  return make_call(kernels::negation(), Type::Bool, {std::move(both)}, std::move(negated));
}

NodePtr Binder::in_list(const Expr& expr, Place place) {
  std::vector<NodePtr> nodes;
  for (const auto& arg : expr.args) {
    auto node = bind(*arg, place);
    if (!node) return nullptr;
    nodes.push_back(std::move(node));
  }
  if (!unify(nodes, expr, "IN")) return nullptr;
  std::string text = "(" + nodes[0]->text + " IN (";
  for (std::size_t i = 1; i < nodes.size(); ++i) text += (i > 1 ? ", " : "") + nodes[i]->text;
  text += "))";
  const auto type = nodes[0]->type;
  auto in = make_call(kernels::in_list(type), Type::Bool, std::move(nodes), std::move(text),
                      Operator::In);
  if (!expr.negated) return in;
  auto negated = "NOT " + in->text;
  return make_call(kernels::negation(), Type::Bool, {std::move(in)}, std::move(negated));
}

NodePtr Binder::like(const Expr& expr, Place place) {
  auto value = bind(*expr.args[0], place);
  auto pattern = bind(*expr.args[1], place);
  if (!value || !pattern) return nullptr;
  for (auto* side : {&value, &pattern}) {
    if ((*side)->untyped) *side = to_type(*side, Type::String);
    if ((*side)->type == Type::String) continue;
    report(expr.span, "R004",
           fmt::format("LIKE compares texts, found a {}", to_string((*side)->type)));
    return nullptr;
  }
  auto text = fmt::format("({} LIKE {})", value->text, pattern->text);
  auto node = make_call(kernels::like(), Type::Bool, {std::move(value), std::move(pattern)},
                        std::move(text));
  if (!expr.negated) return node;
  auto negated = "NOT " + node->text;
  return make_call(kernels::negation(), Type::Bool, {std::move(node)}, std::move(negated));
}

NodePtr Binder::case_of(const Expr& expr, Place place) {
  std::vector<NodePtr> conditions, values;
  bool failed = false;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const bool condition = i % 2 == 0 && i + 1 < expr.args.size();
    auto node =
        condition ? bind_condition(*expr.args[i], place, "WHEN") : bind(*expr.args[i], place);
    failed |= !node;
    (condition ? conditions : values).push_back(std::move(node));
  }
  if (failed || !unify(values, expr, "CASE") || !same_units(values, expr)) return nullptr;
  std::vector<NodePtr> args;
  std::string text = "CASE";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i < conditions.size()) {
      text += " WHEN " + conditions[i]->text;
      args.push_back(conditions[i]);
    }
    text += (i < conditions.size() ? " THEN " : " ELSE ") + values[i]->text;
    args.push_back(values[i]);
  }
  const auto type = values[0]->type;
  const auto first = values[0];
  auto node = make_call(kernels::case_when(type), type, std::move(args), text + " END");
  return with_unit_of(std::move(node), *first, false);
}

NodePtr Binder::cast(const Expr& expr, Place place) {
  constexpr struct {
    std::string_view name;
    Type type;
  } kTypes[] = {{"bool", Type::Bool},      {"boolean", Type::Bool}, {"int", Type::Int},
                {"bigint", Type::Int},     {"integer", Type::Int},  {"float", Type::Float},
                {"double", Type::Float},   {"real", Type::Float},   {"string", Type::String},
                {"varchar", Type::String}, {"text", Type::String},  {"bytes", Type::Bytes},
                {"blob", Type::Bytes}};
  auto value = bind(*expr.args[0], place);
  const auto same = [&](const auto& entry) { return entry.name == expr.text; };
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), same);
  if (found == std::end(kTypes)) {
    const std::vector<std::string> names{"bool", "int", "float", "string", "bytes"};
    report(expr.span, "R004",
           fmt::format("no type \"{}\"; there are {}", expr.text, fmt::join(names, ", ")),
           base::suggest(expr.text, names).value_or(""));
    return nullptr;
  }
  if (!value) return nullptr;
  const auto type = found->type;
  const bool possible =
      value->untyped || value->type == type || kernels::cast(value->type, type) != nullptr;
  if (possible) return with_unit_of(to_type(value, type), *value, false);
  report(expr.span, "R004",
         fmt::format("a {} cannot become a {}", to_string(value->type), to_string(type)));
  return nullptr;
}

}  // namespace infiniedge::stream
