// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stream/analytic.hpp"
#include "stream/rule.hpp"
#include "stream/windows.hpp"

namespace infiniedge::stream {

/// `field op constant`, a conjunct of WHERE that the predicate index can answer.
struct IndexTerm {
  enum class Op : std::uint8_t { Equal, Less, LessEqual, Greater, GreaterEqual };
  std::string column;
  Op op = Op::Equal;
  std::vector<Scalar> values;  ///< One; several for IN (then Equal).
};

/// model('name', …) as an item.
struct ModelCall {
  std::string model, alias;
  std::vector<NodePtr> args;
  std::size_t first_column = 0;  ///< Of label, score, route, err in the frame.
};

/// A checked rule: what Rule executes. Immutable.
///
/// Stages: input columns → analytics → WHERE → windows → HAVING → models → items. Each stage
/// appends columns to the frame or replaces it; nodes refer to columns by index.
struct Plan {
  SchemaPtr input, output;
  std::vector<std::string> inputs;
  std::vector<AnalyticCall> analytics;
  NodePtr where;
  std::optional<IndexTerm> index;  ///< One conjunct of `where`; none if analytics come first.
  NodePtr residual;                ///< The other conjuncts; null if there are none.
  std::optional<WindowPlan> window;
  NodePtr having;
  std::vector<ModelCall> models;
  struct Item {
    NodePtr node;
    Field field;
  };
  std::vector<Item> items;
  bool versioned = false;  ///< The output ends with `_version`.
  LatePolicy late = LatePolicy::Update;
  /// Columns of the frame that models and items need, to be carried while a model is asked.
  std::vector<std::size_t> carried;
};

Checked<std::shared_ptr<const Plan>> make_plan(const RuleSpec& spec, const SchemaSource& schemas,
                                               const Predictor* predictor);

/// Indented lines: what is computed, outermost first.
std::vector<std::string> explain(const Plan& plan);

/// SQL spelling of a resource name.
std::string sql_name(std::string_view resource);

}  // namespace infiniedge::stream
