// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::api::rpc {

/// Bytes that all connections of a server may hold at once, in and out.
///
/// Thread: any; a tensor may let go of its message on a worker.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}
  bool take(std::size_t bytes);
  void give(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// What is taken from a budget, until it dies.
class Lease {
 public:
  explicit Lease(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  ~Lease() { budget_->give(bytes_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Holds `bytes` in all. False: the budget has no more, and nothing changes.
  bool grow_to(std::size_t bytes);
  void shrink_by(std::size_t bytes);

 private:
  std::shared_ptr<Budget> budget_;
  std::size_t bytes_ = 0;
};

/// One whole message. Whoever keeps it keeps its bytes; tensors may point into them.
using Message = std::shared_ptr<const std::string>;

/// Cuts the bytes of a call into messages: flag, length, content; undoes their compression.
///
/// Errors: Invalid (too large, broken compression), Unsupported (unknown encoding), Corrupt
///         (impossible flag), Exhausted (the budget has no room).
class MessageReader {
 public:
  /// `encoding`: grpc-encoding of the call, empty for none.
  MessageReader(std::string encoding, std::size_t limit, std::shared_ptr<Budget> budget);

  /// Takes all of `bytes`; whole messages are appended to `out`.
  Result<void> put(std::string_view bytes, std::deque<Message>& out);
  /// True between the first and the last byte of a message.
  bool inside() const { return prefix_size_ > 0; }
  /// True if the last message was compressed.
  bool compressed() const { return compressed_; }

 private:
  struct Block {
    explicit Block(std::shared_ptr<Budget> budget) : lease(std::move(budget)) {}
    std::string bytes;
    Lease lease;
  };

  Result<void> start();
  Result<void> take(std::string_view bytes);
  Result<Message> finish();

  const std::string encoding_;
  const std::size_t limit_;
  std::shared_ptr<Budget> budget_;
  char prefix_[5];
  std::size_t prefix_size_ = 0;
  std::size_t length_ = 0;
  bool compressed_ = false;
  std::shared_ptr<Block> block_;
};

/// A message on its way out: text of ours, and bytes of others that are sent where they lie.
class Payload {
 public:
  struct Segment {
    std::string own{};
    std::string_view view{};
    std::shared_ptr<const void> owner{};  ///< Of `view`; null: the segment is `own`.
    std::string_view bytes() const { return owner ? view : std::string_view{own}; }
  };

  /// Text to append to; it comes after everything added so far.
  std::string& text();
  void add(std::string_view bytes, std::shared_ptr<const void> owner);
  void prepend(std::string_view text);
  std::size_t size() const;
  /// Puts the prefix before it, compressing first if `encoding` is gzip or deflate.
  std::vector<Segment> framed(std::string_view encoding) &&;

 private:
  std::vector<Segment> segments_;
};

}  // namespace infiniedge::api::rpc
