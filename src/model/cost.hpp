// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace infiniedge::model {

/// What a batch costs on this machine: c(b) for b = 1, 2, 4, …, measured after load and kept
/// fresh by a moving average, and from it the batch worth taking.
///
/// Thread: the server's shard; a value.
class CostModel {
 public:
  using Nanos = std::chrono::nanoseconds;

  explicit CostModel(int max_batch);

  /// Sizes to measure: 1, 2, 4, … and max_batch.
  const std::vector<int>& sizes() const { return sizes_; }
  /// Sets c(b) to a median; b is one of sizes().
  void measured(int batch, Nanos cost);
  /// Blends in an execution of any size.
  void observed(std::int64_t batch, Nanos cost);

  /// c(b), by the next larger measured size; zero while unknown.
  Nanos of(std::int64_t batch) const;
  /// Smallest batch within 3 % of the least cost an item, or 1 where batching gains < 10 %.
  int best() const;
  /// Cost of one item at best().
  Nanos item() const;

 private:
  std::vector<int> sizes_;
  std::vector<double> cost_ns_;  ///< Parallel to sizes_; 0: unknown.
};

}  // namespace infiniedge::model
