// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <string>
#include <utility>

#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device {

/// Awaits `task`, at most `span`; then cancels it and waits until it has ended.
/// Errors: Timeout with `late` as its sentence, Cancelled, else those of the task.
template <class T>
Task<Result<T>> within(Clock& clock, Micros span, Task<Result<T>> task, std::string late) {
  using namespace boost::asio::experimental::awaitable_operators;  // NOLINT
  auto first = co_await (std::move(task) || clock.sleep_for(span));
  if (first.index() == 0) co_return std::move(std::get<0>(first));
  // The sleeper came first: its time was up, or both were cancelled.
  if (!std::get<1>(first)) co_return std::get<1>(first).error();
  co_return Error{Code::Timeout, std::move(late)};
}

}  // namespace infiniedge::device
