// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "base/check.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"

namespace infiniedge::runtime {

/// What send() does when the channel is full.
enum class Overflow { Block, DropOldest };

/// A bounded queue of values between coroutines, on one shard or across two.
///
/// T:      default-constructible and movable; copyable for DropOldest.
/// Thread: any; a waiter resumes on its own shard.
/// Owner:  usually the receiver; close() before destruction.
/// Errors: Cancelled after close(), once what was queued has been received.
template <class T>
class Channel {
 public:
  Channel(boost::asio::any_io_executor executor, std::size_t capacity,
          Overflow overflow = Overflow::Block)
      : channel_(std::move(executor), capacity), overflow_(overflow) {}

  Task<Result<void>> send(T value) {
    if (closed()) co_return Error{Code::Cancelled, "the channel is closed"};
    if (overflow_ == Overflow::DropOldest) co_return send_dropping(std::move(value));
    auto [error] = co_await channel_.async_send(boost::system::error_code{}, std::move(value),
                                                boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) co_return Error{Code::Cancelled, "the channel is closed"};
    co_return Result<void>{};
  }

  /// Without waiting: false when full (Block) or closed. DropOldest makes room.
  bool try_send(T value) {
    if (closed()) return false;
    if (overflow_ == Overflow::DropOldest) return send_dropping(std::move(value)).has_value();
    return channel_.try_send(boost::system::error_code{}, std::move(value));
  }

  Task<Result<T>> receive() {
    if (closed()) {
      if (auto value = try_receive()) co_return std::move(*value);
      co_return Error{Code::Cancelled, "the channel is closed"};
    }
    auto [error, value] =
        co_await channel_.async_receive(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) {
      if (closed()) wake_receiver();  // Another one may be waiting too.
      co_return Error{Code::Cancelled, "the channel is closed"};
    }
    co_return std::move(value);
  }

  /// Takes what is there without waiting.
  std::optional<T> try_receive() {
    std::optional<T> out;
    channel_.try_receive([&out](boost::system::error_code error, T value) {
      if (!error) out = std::move(value);
    });
    return out;
  }

  /// What is queued can still be received. Idempotent.
  void close() {
    if (!closed_.exchange(true)) wake_receiver();
  }
  bool closed() const { return closed_.load(); }
  /// Values dropped by DropOldest since the start.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  // Asio's close() would throw away what is queued, so the end is an entry of its own. When the
  // buffer is full nobody waits, and the next receive() sees closed_.
  void wake_receiver() { channel_.try_send(boost::asio::error::eof, T{}); }

  Result<void> send_dropping(T value) {
    if constexpr (std::is_copy_constructible_v<T>) {
      while (!channel_.try_send(boost::system::error_code{}, value)) {
        if (try_receive()) dropped_.fetch_add(1, std::memory_order_relaxed);
      }
    } else {
      INFINIEDGE_CHECK(
          !"DropOldest needs a copyable value: a failed send consumes what it was given");
    }
    return {};
  }

  boost::asio::experimental::concurrent_channel<void(boost::system::error_code, T)> channel_;
  Overflow overflow_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace infiniedge::runtime
