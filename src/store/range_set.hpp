// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace infiniedge::store {

/// Sequence numbers as ranges: sorted, apart from each other, ends included.
/// Requires of every range: from ≤ to < 2^63.
class RangeSet {
 public:
  struct Range {
    std::uint64_t from = 0, to = 0;
    bool operator==(const Range&) const = default;
  };

  /// Adds [from, to]; ranges that touch become one.
  void add(std::uint64_t from, std::uint64_t to);
  bool contains(std::uint64_t value) const;
  /// Whether every value of [from, to] is in it.
  bool covers(std::uint64_t from, std::uint64_t to) const;

  /// The parts of [from, to] that are not in it.
  std::vector<Range> missing(std::uint64_t from, std::uint64_t to) const;

  const std::vector<Range>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<Range> ranges_;
};

}  // namespace infiniedge::store
