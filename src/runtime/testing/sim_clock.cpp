// SPDX-License-Identifier: Apache-2.0
#include "runtime/testing/sim_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

namespace infiniedge::runtime::testing {

SimClock::SimClock(Timestamp start) : wall_(start) {}

Task<Result<void>> SimClock::sleep_until(Instant when) {
  if (when <= now_) co_return Result<void>{};
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  boost::asio::steady_timer::time_point::max());
  const auto me = sleepers_.insert(sleepers_.end(), Sleeper{when, &timer});
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  const bool due = me->due;
  sleepers_.erase(me);
  if (!due) co_return Error{Code::Cancelled, "sleep was cancelled"};
  co_return Result<void>{};
}

void SimClock::advance(Micros by) {
  now_ += by;
  wall_ += by;
  std::vector<Sleeper*> due;
  for (auto& sleeper : sleepers_) {
    if (!sleeper.due && sleeper.when <= now_) due.push_back(&sleeper);
  }
  // Insertion sort: stable, and there are only a few.
  for (std::size_t i = 1; i < due.size(); ++i) {
    for (std::size_t j = i; j > 0 && due[j]->when < due[j - 1]->when; --j) {
      std::swap(due[j], due[j - 1]);
    }
  }
  for (auto* sleeper : due) {
    sleeper->due = true;
    sleeper->timer->cancel();
  }
}

std::optional<Instant> SimClock::next() const {
  std::optional<Instant> earliest;
  for (const auto& sleeper : sleepers_) {
    if (!sleeper.due && (!earliest || sleeper.when < *earliest)) earliest = sleeper.when;
  }
  return earliest;
}

}  // namespace infiniedge::runtime::testing
