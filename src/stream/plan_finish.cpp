// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stream/planner.hpp"

namespace infiniedge::stream {
namespace {

std::string describe(const Schema& schema) {
  std::string out = schema.stream;
  for (const auto& field : schema.fields) {
    out += fmt::format(" {}:{}:{}", field.name, to_string(field.type), field.unit);
  }
  return out;
}

std::string list(const std::vector<NodePtr>& nodes) {
  std::string out;
  for (const auto& node : nodes) out += (out.empty() ? "" : ", ") + node->text;
  return out;
}

std::string duration(std::int64_t us) {
  constexpr struct {
    std::int64_t us;
    std::string_view name;
  } kUnits[] = {{86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "m"},
                {1'000'000, "s"},      {1'000, "ms"},        {1, "us"}};
  for (const auto& unit : kUnits) {
    if (us % unit.us == 0) return fmt::format("{}{}", us / unit.us, unit.name);
  }
  return "0s";
}

std::string window_text(const WindowPlan& window) {
  switch (window.kind) {
    case Window::Kind::Tumble:
      return window.offset == 0
                 ? fmt::format("TUMBLE({})", duration(window.size))
                 : fmt::format("TUMBLE({}, {})", duration(window.size), duration(window.offset));
    case Window::Kind::Hop:
      return fmt::format("HOP({}, {})", duration(window.size), duration(window.every));
    default:
      return fmt::format("COUNT_WINDOW({}, {})", window.size, window.every);
  }
}

void split_conjuncts(const NodePtr& node, std::vector<NodePtr>& out) {
  if (node->op != Operator::And) return out.push_back(node);
  for (const auto& arg : node->args) split_conjuncts(arg, out);
}

/// The column behind a node, through the widening of a whole number.
const Node* column_of(const Node& node) {
  if (node.kind == Node::Kind::Column && !node.local) return &node;
  const bool widened = node.kind == Node::Kind::Call && node.args.size() == 1 &&
                       node.type == Type::Float && node.args[0]->type == Type::Int;
  return widened && node.text == "float(" + node.args[0]->text + ")" ? column_of(*node.args[0])
                                                                     : nullptr;
}

/// Whole numbers are looked up as doubles: beyond 2^53 neighbours would coincide.
bool indexable(const Scalar& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return *whole > -(std::int64_t{1} << 53) && *whole < (std::int64_t{1} << 53);
  }
  return !std::holds_alternative<std::monostate>(value);
}

Scalar as_number(const Scalar& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return value;
}

Operator mirrored(Operator op) {
  switch (op) {
    case Operator::Less:
      return Operator::Greater;
    case Operator::LessEqual:
      return Operator::GreaterEqual;
    case Operator::Greater:
      return Operator::Less;
    case Operator::GreaterEqual:
      return Operator::LessEqual;
    default:
      return op;
  }
}

std::optional<IndexTerm> term_of(const Node& node) {
  if (node.op == Operator::None || node.op == Operator::And) return std::nullopt;
  const bool swapped = node.args[0]->kind == Node::Kind::Constant && node.op != Operator::In;
  const auto* column = column_of(*node.args[swapped ? 1 : 0]);
  if (column == nullptr || column->type == Type::Bool || column->type == Type::Bytes) {
    return std::nullopt;
  }
  IndexTerm out;
  out.column = column->text;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (i == (swapped ? 1U : 0U)) continue;
    if (node.args[i]->kind != Node::Kind::Constant) return std::nullopt;
    const auto value = node.args[i]->value.scalar(0);
    if (!indexable(value)) return std::nullopt;
    out.values.push_back(as_number(value));
  }
  const auto op = swapped ? mirrored(node.op) : node.op;
  const bool text = column->type == Type::String;
  if (text && op != Operator::Equal && op != Operator::In) return std::nullopt;
  switch (op) {
    case Operator::Less:
      out.op = IndexTerm::Op::Less;
      break;
    case Operator::LessEqual:
      out.op = IndexTerm::Op::LessEqual;
      break;
    case Operator::Greater:
      out.op = IndexTerm::Op::Greater;
      break;
    case Operator::GreaterEqual:
      out.op = IndexTerm::Op::GreaterEqual;
      break;
    default:
      out.op = IndexTerm::Op::Equal;
  }
  return out;
}

}  // namespace

void Planner::finish_window() {
  if (!plan_->window) return;
  auto& window = *plan_->window;
  std::vector<std::unique_ptr<Aggregate>> aggregates;
  for (const auto& call : window.calls) aggregates.push_back(make_aggregate(call.spec));
  window.aggregates = AggregateSet(std::move(aggregates));
  window.text = window_text(window);
  plan_->versioned = window.kind != Window::Kind::Count && plan_->late == LatePolicy::Update;
}

void Planner::finish_schema() {
  auto schema = std::make_shared<Schema>();
  schema->stream = sql_name(spec_.name);
  schema->label = spec_.label.value_or(plan_->input->label);
  if (plan_->versioned) {
    auto version = binder_->local_column(Binder::kVersion, Type::Int, "_version");
    plan_->items.push_back({version, Field{.name = "_version", .type = Type::Int}});
  }
  for (auto& item : plan_->items) {
    item.field.id = static_cast<std::uint16_t>(kFirstField + schema->fields.size());
    schema->fields.push_back(item.field);
  }
  plan_->output = std::move(schema);
}

void Planner::finish_keys() {
  const auto source = describe(*plan_->input);
  for (auto& call : plan_->analytics) {
    call.state_key =
        key_of(fmt::format("{} | {} OVER {} {} {}", source, call.text, static_cast<int>(call.scope),
                           list(call.partition), call.when ? call.when->text : ""));
  }
  if (!plan_->window) return;
  auto& window = *plan_->window;
  std::string text =
      fmt::format("{} | {} | {} | {} | {}", source, plan_->where ? plan_->where->text : "",
                  window.text, window.filter ? window.filter->text : "", list(window.keys));
  for (const auto& call : window.calls) text += " | " + call.text;
  text += fmt::format(" | {} {}", spec_.lateness.count(), static_cast<int>(plan_->late));
  window.state_key = key_of(text);
}

void Planner::choose_index() {
  if (!plan_->where) return;
  std::vector<NodePtr> conjuncts;
  split_conjuncts(plan_->where, conjuncts);
  for (const auto& conjunct : conjuncts) {
    auto term = term_of(*conjunct);
    if (!term) continue;
    const bool equal = term->op == IndexTerm::Op::Equal;
    if (!plan_->index || (equal && plan_->index->op != IndexTerm::Op::Equal)) {
      plan_->index = std::move(term);
    }
  }
  // The matches are few: the whole condition is checked again unless the term is all of it.
  if (plan_->index && conjuncts.size() > 1) plan_->residual = plan_->where;
}

std::vector<std::string> explain(const Plan& plan) {
  std::vector<std::string> lines;
  std::string indent;
  const auto line = [&](const std::string& text) {
    lines.push_back(indent + text);
    indent += "  ";
  };
  std::string items;
  for (const auto& item : plan.items) {
    items += fmt::format("{}{} {}", items.empty() ? "" : ", ", item.field.name,
                         to_string(item.field.type));
  }
  line(fmt::format("emit {}: {}", plan.output->stream, items));
  for (const auto& model : plan.models) {
    line(fmt::format("model {} AS {}: {} (32 rows, 5 ms, 4 in flight, order kept)", model.model,
                     model.alias, list(model.args)));
  }
  if (plan.having) line("having " + plan.having->text);
  if (plan.window) {
    std::string calls;
    for (const auto& call : plan.window->calls) calls += (calls.empty() ? "" : ", ") + call.text;
    line(fmt::format("window {} by ({}): {} [state {:016x}]", plan.window->text,
                     list(plan.window->keys), calls, plan.window->state_key.low));
    if (plan.window->filter) line("filter " + plan.window->filter->text);
  }
  if (plan.where) {
    line("where " + plan.where->text);
    if (plan.index) {
      lines.back() += fmt::format(" [index on {}]", plan.index->column);
    }
  }
  for (const auto& call : plan.analytics) {
    line(fmt::format("analytic {} [state {:016x}]", call.text, call.state_key.low));
  }
  line("read " + plan.input->stream);
  return lines;
}

}  // namespace infiniedge::stream
