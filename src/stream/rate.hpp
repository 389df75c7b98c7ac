// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "infiniedge/time.hpp"

namespace infiniedge::stream {

/// Events a second over the last ten whole seconds.
class Rate {
 public:
  void add(std::uint64_t n, Instant now) {
    roll(now);
    total_ += n;
    counts_[index(second_)] += n;
  }
  double per_second(Instant now) {
    roll(now);
    std::uint64_t sum = 0;
    for (const auto n : counts_) sum += n;
    sum -= counts_[index(second_)];
    const auto lived = std::clamp<std::int64_t>(second_ - first_, 1, kSeconds);
    return static_cast<double>(sum) / static_cast<double>(lived);
  }
  std::uint64_t total() const { return total_; }

 private:
  static constexpr std::int64_t kSeconds = 10;
  static std::size_t index(std::int64_t second) {
    return static_cast<std::size_t>(second % (kSeconds + 1));
  }
  void roll(Instant now) {
    const auto second = std::chrono::floor<Seconds>(now.time_since_epoch()).count();
    if (first_ < 0) first_ = second_ = second;
    if (second - second_ > kSeconds) {
      counts_ = {};
      second_ = second;
    }
    while (second_ < second) counts_[index(++second_)] = 0;
  }

  std::array<std::uint64_t, kSeconds + 1> counts_{};  // the current second and ten before it
  std::int64_t first_ = -1, second_ = -1;
  std::uint64_t total_ = 0;
};

}  // namespace infiniedge::stream
