// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "stream/bind.hpp"
#include "stream/kernels.hpp"

namespace infiniedge::stream {

NodePtr Binder::make_constant(Type type, const Scalar& value, std::string text) const {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::Constant;
  node->type = type;
  node->value = Vec::of_constant(type, value);
  node->text = std::move(text);
  node->key = key_of(fmt::format("{} {}", to_string(type), node->text));
  return node;
}

NodePtr Binder::make_call(Kernel kernel, Type type, std::vector<NodePtr> args, std::string text,
                          Operator op) {
  const auto constant = [](const NodePtr& arg) { return arg->kind == Node::Kind::Constant; };
  if (!args.empty() && std::all_of(args.begin(), args.end(), constant)) {
    std::vector<const Vec*> values;
    for (const auto& arg : args) values.push_back(&arg->value);
    const auto folded = kernel(Args{values, 1});
    if (folded.errors.empty()) return make_constant(type, folded.scalar(0), std::move(text));
  }
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::Call;
  node->type = type;
  node->kernel = kernel;
  node->op = op;
  node->local = std::any_of(args.begin(), args.end(), [](const auto& arg) { return arg->local; });
  node->args = std::move(args);
  node->text = std::move(text);
  // The types are part of the identity: 1 = 1 over whole numbers is not 1 = 1 over numbers.
  std::string identity = node->text;
  for (const auto& arg : node->args) {
    identity += fmt::format(" {:x}{:x}", arg->key.high, arg->key.low);
  }
  node->key = key_of(identity);
  return node;
}

NodePtr Binder::to_type(NodePtr node, Type type) {
  if (node->untyped) return make_constant(type, std::monostate{}, "NULL");
  if (node->type == type) return node;
  const auto kernel = kernels::cast(node->type, type);
  if (kernel == nullptr) return node;
  auto text = fmt::format("{}({})", to_string(type), node->text);
  const auto from = node;
  return with_unit_of(make_call(kernel, type, {std::move(node)}, std::move(text)), *from, false);
}

bool Binder::unify(std::vector<NodePtr>& nodes, const Expr& at, std::string_view what) {
  std::optional<Type> common;
  for (const auto& node : nodes) {
    if (node->untyped) continue;
    const auto type = node->type;
    if (!common || *common == type) {
      common = type;
      continue;
    }
    const bool numbers = (*common == Type::Int || *common == Type::Float) &&
                         (type == Type::Int || type == Type::Float);
    if (numbers) {
      common = Type::Float;
      continue;
    }
    const bool truth = *common == Type::Bool || type == Type::Bool;
    report(at.span, "R004",
           fmt::format("{} takes values of one type, found {} and {}", what, to_string(*common),
                       to_string(type)),
           truth && (*common == Type::Int || type == Type::Int) ? "TRUE" : "");
    return false;
  }
  for (auto& node : nodes) node = to_type(node, common.value_or(Type::Float));
  return true;
}

bool Binder::same_units(const std::vector<NodePtr>& nodes, const Expr& at) {
  const Node* first = nullptr;
  for (const auto& node : nodes) {
    if (node->unit.empty()) continue;
    if (first == nullptr) first = node.get();
    if (node->unit == first->unit) continue;
    const bool convertible = conversion(node->unit, first->unit).has_value();
    report(at.span, "R006",
           fmt::format("units differ: {} is in {}, {} in {}", first->text, first->unit, node->text,
                       node->unit),
           convertible ? fmt::format("unit({}, '{}')", node->text, first->unit) : "");
    return false;
  }
  return true;
}

NodePtr Binder::with_unit_of(NodePtr node, const Node& from, bool resolution) {
  if (!node) return node;
  const bool step = resolution && from.resolution && node->type == Type::Float;
  if (from.unit.empty() && !step) return node;
  auto out = std::make_shared<Node>(*node);
  out->unit = from.unit;
  if (step) out->resolution = from.resolution;
  return out;
}

}  // namespace infiniedge::stream
