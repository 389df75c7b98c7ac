// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"

namespace infiniedge::device {

/// Problem: callbacks and loops end with a result, and a coroutine waits for it. An Outcome is
/// set once, by whoever comes first, and may be waited for by any number.
///
/// Thread: one shard.
/// Owner:  a connector, or the coroutine that waits.
/// Errors: wait() returns Cancelled when the waiting coroutine was cancelled.
class Outcome {
 public:
  explicit Outcome(boost::asio::any_io_executor executor)
      : timer_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}

  /// False if it was set before; the first result stays.
  bool set(Result<void> result) {
    if (result_) return false;
    result_ = std::move(result);
    timer_.cancel();
    return true;
  }
  bool is_set() const { return result_.has_value(); }

  Task<Result<void>> wait() {
    // Woken without a result: the waiting coroutine itself was cancelled.
    if (!result_) {
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    if (!result_) co_return Error{Code::Cancelled, "waiting was cancelled"};
    co_return *result_;
  }

 private:
  boost::asio::steady_timer timer_;
  std::optional<Result<void>> result_;
};

/// Problem: one coroutine waits until another has made something true. notify() wakes whoever
/// waits now; a waiter looks again at what it waits for.
///
/// Thread: one shard.
class Signal {
 public:
  explicit Signal(boost::asio::any_io_executor executor)
      : timer_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}

  void notify() { timer_.cancel(); }
  /// Errors: none; the caller's own condition says whether to wait again.
  Task<void> wait() {
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace infiniedge::device
