// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stream/vec.hpp"

namespace infiniedge::stream {

/// Rows to be added to one aggregate.
struct AggregateInput {
  const Vec* value = nullptr;   ///< Null for count(*).
  const Vec* filter = nullptr;  ///< FILTER (WHERE …), or null.
  std::span<const std::int64_t> ts;
};

/// One aggregate function over one argument type. States are raw memory owned by the caller, so
/// that a group is a single block; they merge, so that windows are sums of panes.
///
/// Thread: stateless; any.
class Aggregate {
 public:
  virtual ~Aggregate() = default;
  virtual std::size_t size() const = 0;  ///< Of a state, a multiple of 8.
  virtual void create(std::byte* state) const = 0;
  virtual void destroy(std::byte* state) const = 0;
  /// Adds row i to states[i] + offset; a null pointer skips the row.
  virtual void add(std::span<std::byte* const> states, std::size_t offset,
                   const AggregateInput& input) const = 0;
  virtual void add_row(std::byte* state, const AggregateInput& input, std::size_t row) const = 0;
  virtual void merge(std::byte* into, const std::byte* from) const = 0;
  /// Appends the result to `out`, a Vec of result_type().
  virtual void result(const std::byte* state, Vec& out) const = 0;
  virtual Type result_type() const = 0;
};

bool is_aggregate(std::string_view name);
std::span<const std::string_view> aggregate_names();

/// What a call needs to be made into an Aggregate.
struct AggregateSpec {
  std::string name;
  Type type = Type::Float;  ///< Of the argument; ignored for count(*).
  bool star = false, distinct = false;
  double parameter = 0;  ///< p of percentile, 0..1.
};

/// Null: the function does not take that type.
std::unique_ptr<Aggregate> make_aggregate(const AggregateSpec& spec);

/// The states of all aggregates of one rule, laid out in one block a group.
class AggregateSet {
 public:
  AggregateSet() = default;
  explicit AggregateSet(std::vector<std::unique_ptr<Aggregate>> aggregates);

  struct Deleter {
    const AggregateSet* set = nullptr;
    void operator()(std::byte* block) const;
  };
  using Block = std::unique_ptr<std::byte, Deleter>;

  Block create() const;
  void merge(std::byte* into, const std::byte* from) const;
  std::size_t count() const { return aggregates_.size(); }
  const Aggregate& at(std::size_t i) const { return *aggregates_[i]; }
  std::size_t offset(std::size_t i) const { return offsets_[i]; }

 private:
  std::vector<std::unique_ptr<Aggregate>> aggregates_;
  std::vector<std::size_t> offsets_;
  std::size_t size_ = 0;
};

}  // namespace infiniedge::stream
