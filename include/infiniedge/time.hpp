// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"

namespace infiniedge {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// Wall-clock time, UTC. Every time that is stored or sent has this unit.
using Timestamp = std::chrono::sys_time<Micros>;
/// Time since an arbitrary start; never jumps. For deadlines and intervals.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Micros>;

constexpr std::int64_t to_us(Timestamp time) { return time.time_since_epoch().count(); }
constexpr Timestamp from_us(std::int64_t us) { return Timestamp{Micros{us}}; }

/// Time as seen by the product. Tests turn it by hand (runtime::SimClock).
///
/// Thread: any; sleeping resumes on the caller's shard.
/// Owner:  app; outlives everything that holds a reference.
/// Errors: sleeping returns Cancelled when the scope of the caller closes.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp wall() const = 0;
  virtual Instant now() const = 0;
  virtual Task<Result<void>> sleep_until(Instant when) = 0;

  Task<Result<void>> sleep_for(Micros duration) { return sleep_until(now() + duration); }
};

}  // namespace infiniedge
