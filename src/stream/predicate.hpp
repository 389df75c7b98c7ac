// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/batch.hpp"
#include "stream/diagnostics.hpp"

namespace infiniedge::stream {

/// One expression over the rows of a stream: `act.when`, `act.write.value`, `route.when`.
/// Analytic functions (had_changed, deadband, ...) keep their state in it, per device.
///
/// Flow:    stream -> [Expression] -> decision
/// Thread:  one shard.
/// Owner:   whoever compiled it.
/// Errors:  a failed value is NULL and counted.
class Expression {
 public:
  /// Reads and checks `text` against `schema`. Aggregates, windows and model() are R004.
  static Checked<Expression> compile(std::string_view text, SchemaPtr schema);
  /// The same, and the result must be a bool.
  static Checked<Expression> compile_condition(std::string_view text, SchemaPtr schema);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  /// Of the values: Bool, Int, Float, String or Bytes; Decimal for a plain decimal column.
  const Field& field() const;
  /// True where the condition holds; NULL is false. Requires: compile_condition.
  std::vector<bool> holds(const Batch& batch);
  /// One value a row, stored as field() says.
  Column values(const Batch& batch);
  std::uint64_t errors() const;

 private:
  struct Impl;
  explicit Expression(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A sentence with values in it: "Bearing worn, {vib} mm/s on {device}". Between braces stands
/// an expression; `{{` and `}}` are braces.
///
/// Thread: one shard.
class Template {
 public:
  static Checked<Template> compile(std::string_view text, SchemaPtr schema);

  /// The sentence for one row of `batch`. NULL reads "-".
  std::string render(const Batch& batch, std::size_t row);

 private:
  std::vector<std::string> texts_;  ///< One more than expressions_.
  std::vector<Expression> expressions_;
};

/// A stored value as a person reads it: 21.50 for a decimal, shortest digits for a float, "-"
/// for NULL, bytes as their length.
std::string display(const Field& field, const Column& column, std::size_t row);

}  // namespace infiniedge::stream
