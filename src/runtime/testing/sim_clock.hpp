// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>

#include "infiniedge/time.hpp"

namespace infiniedge::runtime::testing {

/// A clock that stands still until a test turns it. Sleepers whose time has come resume when
/// the shard's loop runs next, earliest first.
///
/// Thread: one shard (or the test's own thread while the loop does not run).
class SimClock final : public Clock {
 public:
  explicit SimClock(Timestamp start = from_us(1'767'225'600'000'000));  // 2026-01-01

  Timestamp wall() const override { return wall_; }
  Instant now() const override { return now_; }
  Task<Result<void>> sleep_until(Instant when) override;

  void advance(Micros by);
  /// The earliest sleeper, if any: lets a test advance straight to what happens next.
  std::optional<Instant> next() const;
  std::size_t sleepers() const { return sleepers_.size(); }

 private:
  struct Sleeper {
    Instant when;
    boost::asio::steady_timer* timer;
    bool due = false;
  };
  Timestamp wall_;
  Instant now_{Seconds{1}};
  std::list<Sleeper> sleepers_;
};

}  // namespace infiniedge::runtime::testing
