// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace infiniedge::stream {

/// Quantiles within 1 % of the true value, in logarithmic bins (DDSketch, Masson, Rim, Lee 2019).
/// Mergeable. Above 2,048 bins those of least magnitude collapse.
class QuantileSketch {
 public:
  void add(double value, std::uint64_t count = 1);
  void merge(const QuantileSketch& other);
  std::uint64_t count() const { return count_; }
  /// Requires: count() > 0, 0 ≤ q ≤ 1.
  double quantile(double q) const;

 private:
  using Bins = std::map<std::int32_t, std::uint64_t>;
  static void collapse(Bins& bins);

  Bins positive_, negative_;
  std::uint64_t zeros_ = 0, count_ = 0;
  double min_ = 0, max_ = 0;
};

/// Number of different values, ±1.6 % (HyperLogLog, Flajolet et al. 2007, 4,096 registers);
/// exact up to 256. Mergeable.
class DistinctSketch {
 public:
  void add(std::uint64_t hash);
  void merge(const DistinctSketch& other);
  std::int64_t estimate() const;

 private:
  static constexpr int kBits = 12;
  static constexpr std::size_t kExact = 256;
  using Registers = std::array<std::uint8_t, 1 << kBits>;
  void spill();
  void set(std::uint64_t hash);

  std::vector<std::uint64_t> exact_;  // sorted
  std::unique_ptr<Registers> registers_;
};

}  // namespace infiniedge::stream
