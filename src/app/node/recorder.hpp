// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/batch.hpp"
#include "runtime/channel.hpp"
#include "runtime/scope.hpp"
#include "store/store.hpp"

namespace infiniedge::app {

/// Puts into the store what the node itself makes: rows of rules, decisions and alarms. They
/// come without waiting, so they gather here, in order, and go in groups.
///
/// Flow:   stream, decision -> [Recorder] -> store
/// Thread: the node's shard.
/// Owner:  Node; close() before the store.
/// Errors: a full disk is retried every second; meanwhile rows over the bound are counted lost.
class Recorder {
 public:
  Recorder(boost::asio::any_io_executor executor, store::Store& store, Clock& clock,
           runtime::Metrics& metrics);

  void put(Batch batch);
  /// Stores what has gathered, then ends.
  Task<void> close();

 private:
  static constexpr std::size_t kWaiting = 8192;
  static constexpr std::size_t kGroup = 256;

  Task<void> run();
  Task<void> store_group(std::vector<Batch> group);
  Task<Result<void>> declare_unknown(const std::vector<Batch>& group);

  store::Store& store_;
  Clock& clock_;
  runtime::Counter& lost_;
  runtime::Channel<std::shared_ptr<Batch>> waiting_;
  runtime::Channel<bool> done_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::app
