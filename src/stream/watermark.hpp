// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "infiniedge/batch.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::stream {

/// Rows this far ahead of the clock are not believed: quality Stale, no effect on time.
constexpr Micros kMaxFuture{Seconds{60}};

/// How far event time has come in one rule: the least, over the devices that are not idle, of
/// their newest row minus `lateness`. Never goes back.
///
/// A device without rows for `idle` of wall time no longer holds the others. When all are idle,
/// event time goes on at the pace of the wall clock, so that the last window closes too.
///
/// Thread: one shard.
class Watermarks {
 public:
  Watermarks(Micros lateness, Micros idle) : lateness_(lateness), idle_(idle) {}

  /// Takes what is known about devices; lateness and idle time stay.
  void adopt(Watermarks&& from);
  void observe(const Batch& batch, Timestamp now);
  /// Recomputes; call after observe() and on ticks.
  void advance(Timestamp now);
  /// Nothing before the first row.
  std::optional<std::int64_t> current() const { return current_; }
  /// The newest believed row.
  std::optional<std::int64_t> newest() const { return newest_; }
  std::size_t devices() const { return devices_.size(); }

 private:
  struct Device {
    std::int64_t newest = 0;
    Timestamp seen{};
  };
  void raise(std::int64_t to);

  Micros lateness_, idle_;
  std::unordered_map<std::string, Device> devices_;
  const Device* slowest_ = nullptr;  // holds the watermark; null: unknown
  Timestamp next_idle_{};            // earliest time at which somebody may turn idle
  std::optional<std::int64_t> current_, newest_;
};

}  // namespace infiniedge::stream
