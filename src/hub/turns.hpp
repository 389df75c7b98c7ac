// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>

#include "runtime/channel.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::hub {

/// Problem: what is covered is read, then rows are appended, and in between another connection of
/// the same node (the old one, not yet noticed dead) may append the same rows. A stream's turn is
/// held from the one to the other.
///
/// Thread: one shard.
class Turns {
 public:
  explicit Turns(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// Gives the turn back when it goes.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<runtime::Channel<int>> door) : door_(std::move(door)) {}
    Turn(Turn&&) = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (door_) door_->try_send(0);
    }

   private:
    std::shared_ptr<runtime::Channel<int>> door_;
  };

  /// Waits until it is the caller's turn. Errors: Cancelled.
  Task<Result<std::unique_ptr<Turn>>> take(store::StreamId stream) {
    auto& door = doors_[stream];
    if (!door) {
      door = std::make_shared<runtime::Channel<int>>(executor_, 1);
      door->try_send(0);
    }
    auto mine = door;
    if (auto turn = co_await mine->receive(); !turn) co_return std::move(turn).error();
    co_return std::make_unique<Turn>(std::move(mine));
  }

 private:
  boost::asio::any_io_executor executor_;
  std::map<store::StreamId, std::shared_ptr<runtime::Channel<int>>> doors_;
};

}  // namespace infiniedge::hub
