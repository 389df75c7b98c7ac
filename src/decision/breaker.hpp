// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>

#include "infiniedge/time.hpp"
#include "runtime/entropy.hpp"

namespace infiniedge::decision {

/// Circuit breaker: stops calling a teacher that fails, so that an outage costs nothing.
/// Opens after 5 failures in a row, or when half of the last 20 calls failed; stays open for
/// 5 s · 2^k, at most 300 s, ± 20 %; then lets one probe through.
///
/// Thread: one shard. Clock and entropy outlive it.
class Breaker {
 public:
  Breaker(Clock& clock, runtime::Entropy& entropy) : clock_(clock), entropy_(entropy) {}

  /// May a call go out now? A granted probe must be reported by success() or failure().
  bool admit() {
    if (!open_until_) return true;
    if (probing_ || clock_.now() < *open_until_) return false;
    probing_ = true;
    return true;
  }

  void success() {
    if (open_until_) reset();
    record(false);
  }

  /// `retry_after`: what the teacher asked for; zero if nothing.
  void failure(Micros retry_after = Micros{0}) {
    record(true);
    const bool half = seen_ >= kWindow && window_.count() * 2 >= kWindow;
    if (probing_ || in_a_row_ >= kInARow || half || retry_after > Micros{0}) open(retry_after);
  }

  bool closed() const { return !open_until_.has_value(); }

 private:
  static constexpr std::size_t kWindow = 20;
  static constexpr int kInARow = 5;
  static constexpr Micros kFirst = Seconds{5};
  static constexpr Micros kLongest = Seconds{300};

  void record(bool failed) {
    window_ <<= 1;
    window_[0] = failed;
    seen_ = std::min(kWindow, seen_ + 1);
    in_a_row_ = failed ? in_a_row_ + 1 : 0;
  }

  void open(Micros retry_after) {
    const auto span = std::min(kLongest, kFirst * (1 << std::min(6, openings_)));
    const double jitter = 0.8 + 0.4 * entropy_.unit();
    const auto wait = Micros{static_cast<std::int64_t>(static_cast<double>(span.count()) * jitter)};
    open_until_ = clock_.now() + std::max(wait, retry_after);
    ++openings_;
    probing_ = false;
  }

  void reset() {
    open_until_.reset();
    probing_ = false;
    openings_ = 0;
    window_.reset();
    seen_ = 0;
    in_a_row_ = 0;
  }

  Clock& clock_;
  runtime::Entropy& entropy_;
  std::bitset<kWindow> window_;
  std::size_t seen_ = 0;
  int in_a_row_ = 0, openings_ = 0;
  bool probing_ = false;
  std::optional<Instant> open_until_;
};

}  // namespace infiniedge::decision
