// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "model/served.hpp"

namespace infiniedge::model {

/// A request between its arrival and its answer.
///
/// Thread: the server's shard; while its group executes, the worker reads `inputs`.
/// Owner:  shared by the coroutine that waits, the queue and the group.
struct Served::Pending {
  Pending(boost::asio::any_io_executor executor, CheckedRequest request,
          std::optional<Instant> until)
      : inputs(std::move(request.inputs)),
        batch(request.batch),
        deadline(until),
        slot(request.slot),
        done(std::move(executor), boost::asio::steady_timer::time_point::max()) {
    for (const auto& input : inputs) bytes += input.data.size();
  }
  std::uint64_t queue_ns() const {
    if (started_at == std::chrono::steady_clock::time_point{}) return 0;
    return static_cast<std::uint64_t>(std::chrono::nanoseconds{started_at - arrived}.count());
  }

  std::vector<Tensor> inputs;
  std::int64_t batch;
  std::optional<Instant> deadline;
  std::optional<BatchSlot> slot;
  std::size_t bytes = 0;
  Instant queued_at{};  ///< The product's time.
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point started_at{};  ///< Zero: ran at once.
  bool abandoned = false;
  std::shared_ptr<Group> group;  ///< While executing.
  std::optional<Result<std::vector<Tensor>>> result;
  boost::asio::steady_timer done;  ///< Cancelled: look at `result`.
};

}  // namespace infiniedge::model
