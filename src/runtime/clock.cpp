// SPDX-License-Identifier: Apache-2.0
#include "runtime/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace infiniedge::runtime {

Timestamp SystemClock::wall() const {
  return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
}

Instant SystemClock::now() const {
  return std::chrono::time_point_cast<Micros>(std::chrono::steady_clock::now());
}

Task<Result<void>> SystemClock::sleep_until(Instant when) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, when);
  auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  if (error) co_return Error{Code::Cancelled, "sleep was cancelled"};
  co_return Result<void>{};
}

}  // namespace infiniedge::runtime
