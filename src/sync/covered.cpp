// SPDX-License-Identifier: Apache-2.0
#include "sync/covered.hpp"

#include <algorithm>

namespace infiniedge::sync {
namespace {

/// First range that ends at or after `seq`.
auto reaching(const Ranges& ranges, std::uint64_t seq) {
  return std::lower_bound(ranges.begin(), ranges.end(), seq,
                          [](const Range& range, std::uint64_t value) { return range.to < value; });
}

}  // namespace

bool well_formed(const Ranges& ranges) {
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const Range& range = ranges[i];
    // Never from - 1 ≤ before: touching ranges would be one.
    if (range.from == 0 || range.to < range.from) return false;
    if (i > 0 && range.from - 1 <= before) return false;
    before = range.to;
  }
  return true;
}

void add(Ranges& ranges, Range range) {
  // A range that ends right before this one joins it, hence from − 1.
  auto first = ranges.begin() + (reaching(ranges, range.from - 1) - ranges.cbegin());
  auto last = first;
  for (; last != ranges.end() && (last->from <= range.to || last->from - 1 == range.to); ++last) {
    range.from = std::min(range.from, last->from);
    range.to = std::max(range.to, last->to);
  }
  first = ranges.erase(first, last);
  ranges.insert(first, range);
}

Ranges subtract(Range range, const Ranges& ranges) {
  Ranges left;
  for (auto next = reaching(ranges, range.from); next != ranges.end() && next->from <= range.to;
       ++next) {
    if (next->from > range.from) left.push_back({range.from, next->from - 1});
    if (next->to >= range.to) return left;
    range.from = next->to + 1;
  }
  left.push_back(range);
  return left;
}

bool covers(const Ranges& ranges, Range range) {
  const auto found = reaching(ranges, range.from);
  return found != ranges.end() && found->from <= range.from && found->to >= range.to;
}

std::uint64_t high_water(const Ranges& ranges) {
  return !ranges.empty() && ranges.front().from <= 1 ? ranges.front().to : 0;
}

std::uint64_t highest(const Ranges& ranges) { return ranges.empty() ? 0 : ranges.back().to; }

}  // namespace infiniedge::sync
