// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "device/outcome.hpp"

namespace infiniedge::device {

/// Problem: one connection, and polling, reading and writing want it at once. Each waits for its
/// turn and holds it across its co_awaits.
///
/// Thread: one shard.
class Turn {
 public:
  class Hold {
   public:
    explicit Hold(Turn& turn) : turn_(&turn) {}
    Hold(Hold&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (turn_ == nullptr) return;
      turn_->taken_ = false;
      turn_->given_.notify();
    }

   private:
    Turn* turn_;
  };

  explicit Turn(boost::asio::any_io_executor executor) : given_(std::move(executor)) {}

  Task<Hold> take() {
    while (taken_) co_await given_.wait();
    taken_ = true;
    co_return Hold(*this);
  }

 private:
  Signal given_;
  bool taken_ = false;
};

}  // namespace infiniedge::device
