// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace infiniedge::sync {

/// Sequence numbers [from, to], both included; from ≥ 1.
struct Range {
  std::uint64_t from = 0, to = 0;
  bool operator==(const Range&) const = default;
};

/// What one side has of one stream in one epoch: ascending, apart by at least one number.
using Ranges = std::vector<Range>;

/// True if `ranges` keeps that promise. For ranges that came from outside.
bool well_formed(const Ranges& ranges);
/// Merges `range` in.
void add(Ranges& ranges, Range range);
/// The parts of `range` that `ranges` lacks, ascending.
Ranges subtract(Range range, const Ranges& ranges);
bool covers(const Ranges& ranges, Range range);
/// Everything from 1 up to here is covered; 0: not even 1.
std::uint64_t high_water(const Ranges& ranges);
/// Last covered number; 0: none.
std::uint64_t highest(const Ranges& ranges);

}  // namespace infiniedge::sync
