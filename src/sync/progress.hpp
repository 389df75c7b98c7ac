// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "sync/covered.hpp"

namespace infiniedge::sync {

/// A place in a stream: after row `seq` of `epoch`.
struct Position {
  std::uint32_t epoch = 0;
  std::uint64_t seq = 0;
  auto operator<=>(const Position&) const = default;
};

/// How far one stream has been sent on one connection, and how much of that is acknowledged.
/// The acknowledged position moves over what was sent in the order of sending, so that it never
/// jumps over an epoch or a hole that the hub lacks.
///
/// Thread: the session's.
class Progress {
 public:
  Progress() = default;
  explicit Progress(Position start) : next_(start), acknowledged_(start) {}

  Position next() const { return next_; }
  Position acknowledged() const { return acknowledged_; }
  bool idle() const { return flight_.empty(); }
  /// Changes with each rewind: what was read before is not what comes next.
  std::uint64_t generation() const { return generation_; }

  /// Numbers [from, to] of `epoch`, `rows` rows, are on their way. `done`: the hub has them.
  void sent(std::uint32_t epoch, Range range, std::uint64_t rows, bool done = false);
  /// The hub has `ranges`. Returns the rows that became acknowledged.
  std::uint64_t acknowledge(std::uint32_t epoch, const Ranges& ranges);
  /// The hub misses `expected`: sending starts again there. False: that was never sent.
  bool rewind(std::uint32_t epoch, std::uint64_t expected);

 private:
  struct Item {
    std::uint32_t epoch = 0;
    Range range;
    std::uint64_t rows = 0;
    bool done = false;
  };
  std::uint64_t settle();

  Position next_, acknowledged_;
  std::uint64_t generation_ = 0;
  std::deque<Item> flight_;
};

}  // namespace infiniedge::sync
