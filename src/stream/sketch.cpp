// SPDX-License-Identifier: Apache-2.0
#include "stream/sketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace infiniedge::stream {
namespace {

constexpr double kAccuracy = 0.01;
constexpr double kGamma = (1 + kAccuracy) / (1 - kAccuracy);
constexpr double kSmallest = 1e-12;  // Less counts as zero: its bins would only waste room.
constexpr std::size_t kMaxBins = 2048;

std::int32_t bin_of(double magnitude) {
  static const double kLogGamma = std::log(kGamma);
  return static_cast<std::int32_t>(std::ceil(std::log(magnitude) / kLogGamma));
}

/// The value whose relative distance to both ends of the bin is the least.
double value_of(std::int32_t bin) { return 2 * std::pow(kGamma, bin) / (kGamma + 1); }

}  // namespace

void QuantileSketch::add(double value, std::uint64_t count) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += count;
  if (std::abs(value) < kSmallest) {
    zeros_ += count;
  } else {
    auto& bins = value > 0 ? positive_ : negative_;
    bins[bin_of(std::abs(value))] += count;
    collapse(bins);
  }
}

void QuantileSketch::merge(const QuantileSketch& other) {
  if (other.count_ == 0) return;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  for (const auto& [bin, n] : other.positive_) positive_[bin] += n;
  for (const auto& [bin, n] : other.negative_) negative_[bin] += n;
  zeros_ += other.zeros_;
  count_ += other.count_;
  collapse(positive_);
  collapse(negative_);
}

void QuantileSketch::collapse(Bins& bins) {
  while (bins.size() > kMaxBins) {
    const auto least = bins.begin();
    std::next(least)->second += least->second;
    bins.erase(least);
  }
}

double QuantileSketch::quantile(double q) const {
  const double rank = q * static_cast<double>(count_ - 1);
  double seen = 0;
  double value = max_;
  const auto passes = [&](std::uint64_t n) { return (seen += static_cast<double>(n)) > rank; };
  const auto negative = std::find_if(negative_.rbegin(), negative_.rend(),
                                     [&](const auto& bin) { return passes(bin.second); });
  if (negative != negative_.rend()) {
    value = -value_of(negative->first);
  } else if (passes(zeros_)) {
    value = 0;
  } else {
    const auto positive = std::find_if(positive_.begin(), positive_.end(),
                                       [&](const auto& bin) { return passes(bin.second); });
    if (positive != positive_.end()) value = value_of(positive->first);
  }
  return std::clamp(value, min_, max_);
}

void DistinctSketch::add(std::uint64_t hash) {
  if (registers_) return set(hash);
  const auto at = std::lower_bound(exact_.begin(), exact_.end(), hash);
  if (at != exact_.end() && *at == hash) return;
  exact_.insert(at, hash);
  if (exact_.size() > kExact) spill();
}

void DistinctSketch::set(std::uint64_t hash) {
  const auto index = hash >> (64 - kBits);
  const auto rest = (hash << kBits) | (std::uint64_t{1} << (kBits - 1));
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  auto& slot = (*registers_)[index];
  slot = std::max(slot, rank);
}

void DistinctSketch::spill() {
  registers_ = std::make_unique<Registers>();
  for (const auto hash : exact_) set(hash);
  exact_.clear();
  exact_.shrink_to_fit();
}

void DistinctSketch::merge(const DistinctSketch& other) {
  for (const auto hash : other.exact_) add(hash);
  if (!other.registers_) return;
  if (!registers_) spill();
  for (std::size_t i = 0; i < registers_->size(); ++i) {
    (*registers_)[i] = std::max((*registers_)[i], (*other.registers_)[i]);
  }
}

std::int64_t DistinctSketch::estimate() const {
  if (!registers_) return static_cast<std::int64_t>(exact_.size());
  constexpr double kM = 1 << kBits;
  double sum = 0;
  int empty = 0;
  for (const auto rank : *registers_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1 : 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / kM) * kM * kM / sum;
  const bool small = raw <= 2.5 * kM && empty > 0;
  return std::llround(small ? kM * std::log(kM / empty) : raw);
}

}  // namespace infiniedge::stream
