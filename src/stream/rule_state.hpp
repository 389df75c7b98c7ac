// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/model_stage.hpp"
#include "stream/plan.hpp"
#include "stream/rule.hpp"
#include "stream/watermark.hpp"

namespace infiniedge::stream {

/// What a rule remembers between batches, and its stages. See Plan for their order.
struct Rule::State {
  State(const RuleSpec& rule, std::shared_ptr<const Plan> shared, Predictor* predictor);

  // rule.cpp
  void guarded(std::size_t rows, const std::function<void()>& work);
  void stop(std::string why);
  void process(Frame& shared, std::optional<std::vector<std::uint32_t>> chosen, Timestamp time);
  std::optional<std::vector<std::uint32_t>> select(
      Frame& frame, const NodePtr& condition, std::optional<std::vector<std::uint32_t>> chosen);
  void take(Frame& frame);

  // rule_emit.cpp
  std::vector<std::uint8_t> note_errors(Frame& frame, const std::vector<const Node*>& nodes);
  SchemaPtr named_like(const Batch& batch, const SchemaPtr& like) const;
  void window(Frame& frame);
  void group_rows(Frame& frame, GroupedRows& out);
  void send_late(Frame& frame, std::vector<std::uint32_t> rows);
  void close_windows(std::int64_t watermark);
  template <class Table>
  void emit_results(Table& table);
  void finish(Frame& frame);
  void emit(Frame& frame);
  void send(Frame& frame);

  const RuleSpec& spec;
  std::shared_ptr<const Plan> plan;
  Sinks sinks;
  Analytics analytics;
  Watermarks watermarks;
  std::shared_ptr<const Plan> windows_plan;  // what `windows` refers to, after adopt() an old one
  std::unique_ptr<Windows> windows;
  std::shared_ptr<ModelStage> models;
  SchemaPtr late_schema, dead_schema;
  Timestamp now{};
  std::optional<std::int64_t> newest;
  std::uint64_t rows_in = 0, rows_out = 0, dropped = 0, errors = 0;
  std::string stopped;
};

}  // namespace infiniedge::stream
