// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "stream/frame.hpp"
#include "stream/plan.hpp"

namespace infiniedge::stream {

/// Finds, for each row of a batch, the rules whose `field op constant` holds: sorted thresholds
/// for the ranges of a field, a hash table for its equalities. One row costs
/// O(fields · log rules + matches).
///
/// Thread: one shard.
/// Owner:  Engine, one a stream.
class PredicateIndex {
 public:
  using Rows = std::vector<std::uint32_t>;

  /// `slot` names the rule; each is added once.
  void add(std::size_t slot, const IndexTerm& term);
  void remove(std::size_t slot);
  bool empty() const { return terms_.empty(); }

  /// Calls `found` for each rule with matches, rows ascending, rules in slot order. `schema` is
  /// the frame's.
  void match(Frame& frame, const Schema& schema,
             const std::function<void(std::size_t slot, Rows rows)>& found);

 private:
  struct Threshold {
    double value;
    std::uint32_t slot;
  };
  struct Column {
    /// [<, <=, >, >=] each sorted ascending by value.
    std::vector<Threshold> ranges[4];
    std::unordered_map<double, std::vector<std::uint32_t>> numbers;
    std::unordered_map<std::string, std::vector<std::uint32_t>> texts;
  };
  void rebuild();
  void match_column(const Column& column, const Vec& values, std::size_t rows);
  void match_number(const Column& column, double value, std::uint32_t row);
  void hit(std::uint32_t slot, std::uint32_t row);

  std::map<std::size_t, IndexTerm> terms_;  // by slot
  std::map<std::string, Column> columns_;   // by name
  bool stale_ = false;
  std::vector<Rows> rows_;  // by slot; empty between calls
  std::vector<std::uint32_t> touched_;
};

}  // namespace infiniedge::stream
