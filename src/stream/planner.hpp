// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/bind.hpp"
#include "stream/plan.hpp"

namespace infiniedge::stream {

/// Builds the plan of one rule from its parsed text. Used once.
///
/// Errors: collected over the whole text; any makes run() fail.
class Planner {
 public:
  Planner(const RuleSpec& spec, const SchemaSource& schemas, const Predictor* predictor,
          Select select);
  Checked<std::shared_ptr<const Plan>> run();

 private:
  // plan.cpp
  void drop_own_qualifiers();
  void refuse_what_does_not_run();
  bool find_input();
  void bind_window();
  std::vector<const Expr*> group_expressions() const;
  void window_sizes(const Window& window);
  void bind_items();
  void bind_star(const Item& item);
  void bind_item(const Item& item);
  void bind_model(const Item& item);
  bool model_argument(const Expr& arg, ModelCall& call, std::optional<std::size_t>& width);
  void check_model(const Expr& expr, const ModelCall& call,
                   const std::optional<std::size_t>& width);
  void bind_having();
  std::string default_name(const Expr& expr) const;
  void add_item(const std::string& name, NodePtr node, const Span& at);
  ExprPtr make_name(const std::string& text, const Span& span) const;
  Binder::Place place() const;
  void error(const Span& at, std::string id, std::string message, std::string suggestion = {});

  // plan_finish.cpp
  void finish_window();
  void finish_schema();
  void finish_keys();
  void choose_index();

  const RuleSpec& spec_;
  const SchemaSource& schemas_;
  const Predictor* predictor_;
  Select select_;
  base::Diagnostics errors_;
  std::shared_ptr<Plan> plan_;
  Binder* binder_ = nullptr;
};

}  // namespace infiniedge::stream
