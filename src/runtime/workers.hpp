// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"

namespace infiniedge::runtime {

/// Threads for compute and for blocking calls, with a bounded queue.
///
/// Thread: any.
/// Owner:  app; join() before what the jobs refer to is destroyed.
class Workers {
 public:
  /// `limit`: jobs queued or running at once. No threads: jobs run at once on the caller's shard,
  /// which makes a simulation repeatable.
  Workers(std::string name, std::size_t threads, std::size_t limit = 1024);
  ~Workers();

  /// Finishes what is queued and ends the threads. Idempotent.
  void join();

  bool is_inline() const { return inline_; }
  std::size_t pending() const { return pending_.load(std::memory_order_relaxed); }
  /// Reserves a place in the queue, or says that there is none.
  bool reserve();
  void release() { pending_.fetch_sub(1, std::memory_order_relaxed); }
  boost::asio::thread_pool& pool() { return pool_; }

 private:
  std::string name_;
  std::size_t limit_;
  bool inline_;
  std::atomic<std::size_t> pending_{0};
  boost::asio::thread_pool pool_;
};

/// Runs `fn` (returning a Result) on a worker and resumes on the caller's shard.
/// Errors: Exhausted when the queue is full; else what `fn` returns. `fn` may not throw.
template <class Fn>
Task<std::invoke_result_t<Fn&>> run_on(Workers& workers, Fn fn) {
  using R = std::invoke_result_t<Fn&>;
  if (!workers.reserve()) co_return R{Error{Code::Exhausted, "the worker queue is full; retry"}};
  // The slot carries the result: handlers need no default-constructible R.
  std::optional<R> slot;
  auto start = [&workers, &fn, &slot](auto handler) {
    auto executor = boost::asio::get_associated_executor(handler);
    if (workers.is_inline()) {
      slot.emplace(fn());
      workers.release();
      boost::asio::post(executor, std::move(handler));
      return;
    }
    boost::asio::post(workers.pool(),
                      [&workers, &fn, &slot, executor, handler = std::move(handler)]() mutable {
                        slot.emplace(fn());
                        workers.release();
                        boost::asio::post(executor, std::move(handler));
                      });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void()>(
      start, boost::asio::use_awaitable);
  co_return std::move(*slot);
}

}  // namespace infiniedge::runtime
