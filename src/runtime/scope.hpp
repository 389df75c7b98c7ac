// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <list>
#include <memory>

#include "infiniedge/task.hpp"

namespace infiniedge::runtime {

/// Problem: a coroutine that outlives what it refers to. A Scope owns the coroutines spawned
/// in it; its owner closes it before dying, and nothing of them is left.
///
/// Thread: one shard; spawn, cancel and close are called there.
/// Owner:  whoever the coroutines refer to, as its last member; close() before destruction.
class Scope {
 public:
  explicit Scope(boost::asio::any_io_executor executor);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// One of the coroutines, to be cancelled alone. Harmless once that has ended.
  class Child {
   public:
    void cancel();

   private:
    friend class Scope;
    std::weak_ptr<boost::asio::cancellation_signal> signal_;
  };

  /// Starts `task` on the scope's shard. After cancel() the task is dropped unstarted.
  /// An exception that escapes is logged as Internal; cancellation is not an error.
  Child spawn(Task<void> task);
  /// Asks every coroutine to end; their pending operations fail with Cancelled.
  void cancel();
  /// cancel(), then waits until all have ended. Idempotent.
  Task<void> close();

  std::size_t size() const { return children_.size(); }
  bool cancelled() const { return cancelled_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  using Children = std::list<std::shared_ptr<boost::asio::cancellation_signal>>;
  void ended(Children::iterator child, std::exception_ptr error);

  boost::asio::any_io_executor executor_;
  Children children_;
  boost::asio::steady_timer drained_;
  bool cancelled_ = false;
};

}  // namespace infiniedge::runtime
