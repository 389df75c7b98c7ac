// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/analytic.hpp"
#include "stream/diagnostics.hpp"
#include "stream/functions.hpp"
#include "stream/windows.hpp"

namespace infiniedge::stream {

/// Turns expressions into checked nodes. One for a statement; what calls mean depends on the
/// place they stand in.
///
/// Errors: every fault is recorded and gives a null node; one fault is reported once.
class Binder {
 public:
  enum class Place : std::uint8_t {
    Row,   ///< Over input rows; analytic functions allowed.
    Group  ///< Over a window's result: keys, aggregates, window_start().
  };
  /// Columns of a window's result: these, then its keys, then its aggregates.
  static constexpr std::size_t kWindowStart = 0, kWindowEnd = 1, kVersion = 2, kFirstKey = 3;
  /// Columns that models answer, in the frame after them.
  static constexpr std::size_t kFirstModel = 1'000'000;

  Binder(const Schema& input, std::string source_alias, base::Diagnostics& errors)
      : input_(input), source_alias_(std::move(source_alias)), errors_(errors) {}

  NodePtr bind(const Expr& expr, Place place);
  /// The same, and it must be a bool.
  NodePtr bind_condition(const Expr& expr, Place place, std::string_view what);

  /// Makes names and expressions of GROUP BY available in Place::Group.
  void set_groups(const std::vector<const Expr*>& groups, WindowPlan& window);
  /// Makes an item's name usable in later expressions. `members`: it is a model's struct.
  void define(const std::string& name, NodePtr node);
  void define_member(const std::string& alias, const std::string& member, NodePtr node);
  /// A column of the frame that this rule adds itself.
  NodePtr local_column(std::size_t index, Type type, std::string text) const;

  std::vector<AnalyticCall>& analytics() { return analytics_; }
  void set_first_analytic(std::size_t column) { first_analytic_ = column; }
  void report(const Span& at, std::string id, std::string message, std::string suggestion = {});
  const Schema& input() const { return input_; }

 private:
  // bind.cpp
  NodePtr name(const Expr& expr, Place place);
  NodePtr input_name(const Expr& expr);
  NodePtr unknown_name(const Expr& expr, Place place);
  NodePtr unary(const Expr& expr, Place place);
  NodePtr binary(const Expr& expr, Place place);
  NodePtr arithmetic(const Expr& expr, NodePtr left, NodePtr right);
  NodePtr comparison(const Expr& expr, std::string_view op, NodePtr left, NodePtr right);
  NodePtr between(const Expr& expr, Place place);
  NodePtr in_list(const Expr& expr, Place place);
  NodePtr like(const Expr& expr, Place place);
  NodePtr case_of(const Expr& expr, Place place);
  NodePtr cast(const Expr& expr, Place place);

  // bind_call.cpp
  NodePtr call(const Expr& expr, Place place);
  NodePtr scalar_call(const Expr& expr, const Function& function, Place place);
  NodePtr scalar_argument(const Expr& arg, const Function& function, std::size_t index,
                          Place place);
  NodePtr special_call(const Expr& expr, Place place);
  NodePtr time_bucket(const Expr& expr, Place place);
  NodePtr unit_call(const Expr& expr, Place place);
  NodePtr window_bound(const Expr& expr, Place place);
  NodePtr aggregate_call(const Expr& expr, Place place);
  std::optional<WindowPlan::Call> aggregate_arguments(const Expr& expr);
  NodePtr unknown_call(const Expr& expr);
  bool arity(const Expr& expr, std::size_t low, std::size_t high);
  bool clauses_allowed(const Expr& expr, bool filter, bool over);

  // bind_analytic.cpp
  NodePtr analytic_call(const Expr& expr, Place place);
  bool analytic_arguments(const Expr& expr, AnalyticCall& call);
  bool lag_options(const Expr& expr, AnalyticCall& call);
  bool change_options(const Expr& expr, AnalyticCall& call);
  bool numeric_options(const Expr& expr, AnalyticCall& call);
  bool over_clause(const Expr& expr, AnalyticCall& call);
  /// A constant argument converted to `type`, or nothing and a report.
  std::optional<Scalar> constant(const Expr& arg, Type type, std::string_view what);

  // nodes
  NodePtr make_call(Kernel kernel, Type type, std::vector<NodePtr> args, std::string text,
                    Operator op = Operator::None);
  NodePtr make_constant(Type type, const Scalar& value, std::string text) const;
  NodePtr to_type(NodePtr node, Type type);
  /// Brings values to one type: numbers meet in Float, NULL fits any. False and a report if
  /// there is none.
  bool unify(std::vector<NodePtr>& nodes, const Expr& at, std::string_view what);
  bool same_units(const std::vector<NodePtr>& nodes, const Expr& at);
  static NodePtr with_unit_of(NodePtr node, const Node& from, bool resolution);

  const Schema& input_;
  std::string source_alias_;
  base::Diagnostics& errors_;
  std::vector<AnalyticCall> analytics_;
  std::size_t first_analytic_ = 0;
  WindowPlan* window_ = nullptr;
  std::vector<std::string> group_texts_;
  std::map<std::string, NodePtr, std::less<>> defined_;  // "alias" or "alias.member"
};

}  // namespace infiniedge::stream
