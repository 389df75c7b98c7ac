// SPDX-License-Identifier: Apache-2.0
#include "store/range_set.hpp"

#include <algorithm>

namespace infiniedge::store {

void RangeSet::add(std::uint64_t from, std::uint64_t to) {
  // The first range that reaches up to from − 1, and the first that starts behind to + 1.
  const auto first = std::find_if(ranges_.begin(), ranges_.end(),
                                  [from](const Range& range) { return range.to + 1 >= from; });
  const auto last =
      std::find_if(first, ranges_.end(), [to](const Range& range) { return range.from > to + 1; });
  if (first != last) {
    from = std::min(from, first->from);
    to = std::max(to, std::prev(last)->to);
  }
  const auto at = ranges_.erase(first, last);
  ranges_.insert(at, {from, to});
}

bool RangeSet::contains(std::uint64_t value) const { return covers(value, value); }

bool RangeSet::covers(std::uint64_t from, std::uint64_t to) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [from, to](const Range& range) {
    return range.from <= from && to <= range.to;
  });
}

std::vector<RangeSet::Range> RangeSet::missing(std::uint64_t from, std::uint64_t to) const {
  std::vector<Range> out;
  for (const Range& range : ranges_) {
    if (range.to < from || range.from > to) continue;
    if (range.from > from) out.push_back({from, range.from - 1});
    from = range.to + 1;
  }
  if (from <= to) out.push_back({from, to});
  return out;
}

}  // namespace infiniedge::store
