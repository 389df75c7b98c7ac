// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "device/outcome.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device {

/// Problem: a loop sleeps between readings and must end between two rows, not within one. It
/// sleeps here, and request() ends the sleep at once.
///
/// Thread: one shard.
/// Owner:  a connector, beside the loop's Scope.
class Stop {
 public:
  explicit Stop(boost::asio::any_io_executor executor) : signal_(std::move(executor)) {}

  void request() {
    requested_ = true;
    signal_.notify();
  }
  bool requested() const { return requested_; }

  /// True when the time has come, false when the loop should end.
  Task<bool> sleep_until(Clock& clock, Instant when) {
    using namespace boost::asio::experimental::awaitable_operators;  // NOLINT
    if (requested_) co_return false;
    if (when <= clock.now()) co_return true;
    const auto first = co_await (clock.sleep_until(when) || signal_.wait());
    co_return !requested_ && first.index() == 0 && std::get<0>(first).has_value();
  }

 private:
  Signal signal_;
  bool requested_ = false;
};

}  // namespace infiniedge::device
