// SPDX-License-Identifier: Apache-2.0
#include "sync/covered.hpp"

#include <gtest/gtest.h>

#include <set>

#include "runtime/entropy.hpp"

namespace infiniedge::sync {
namespace {

constexpr std::uint64_t kMax = UINT64_MAX;

TEST(Covered, NeighboursBecomeOneRange) {
  Ranges ranges;
  add(ranges, {5, 9});
  add(ranges, {1, 4});
  add(ranges, {12, 14});
  EXPECT_EQ(ranges, (Ranges{{1, 9}, {12, 14}}));
  add(ranges, {10, 11});
  EXPECT_EQ(ranges, (Ranges{{1, 14}}));
}

TEST(Covered, SubtractLeavesWhatIsMissing) {
  const Ranges ranges{{3, 5}, {9, 9}};
  EXPECT_EQ(subtract({1, 12}, ranges), (Ranges{{1, 2}, {6, 8}, {10, 12}}));
  EXPECT_TRUE(subtract({4, 5}, ranges).empty());
  EXPECT_EQ(subtract({10, 12}, ranges), (Ranges{{10, 12}}));
}

TEST(Covered, HighWaterStopsAtTheFirstHole) {
  EXPECT_EQ(high_water({}), 0U);
  EXPECT_EQ(high_water({{2, 7}}), 0U);
  EXPECT_EQ(high_water({{1, 7}, {9, 12}}), 7U);
  EXPECT_EQ(highest({{1, 7}, {9, 12}}), 12U);
}

TEST(Covered, TheLargestNumbersDoNotOverflow) {
  Ranges ranges;
  add(ranges, {kMax, kMax});
  add(ranges, {1, 1});
  EXPECT_EQ(ranges, (Ranges{{1, 1}, {kMax, kMax}}));
  EXPECT_EQ(subtract({1, kMax}, ranges), (Ranges{{2, kMax - 1}}));
  add(ranges, {1, kMax});
  EXPECT_EQ(ranges, (Ranges{{1, kMax}}));
  EXPECT_TRUE(subtract({1, kMax}, ranges).empty());
}

TEST(Covered, RefusesRangesThatTouchOverlapOrRunBackwards) {
  EXPECT_TRUE(well_formed({{1, 2}, {4, 4}}));
  EXPECT_FALSE(well_formed({{0, 2}}));
  EXPECT_FALSE(well_formed({{5, 4}}));
  EXPECT_FALSE(well_formed({{1, 2}, {3, 4}}));
  EXPECT_FALSE(well_formed({{1, kMax}, {1, 1}}));
}

TEST(Covered, AgreesWithASetOfNumbers) {
  runtime::SeededEntropy entropy(7);
  for (int round = 0; round < 200; ++round) {
    Ranges ranges;
    std::set<std::uint64_t> model;
    for (int step = 0; step < 20; ++step) {
      const std::uint64_t from = 1 + entropy.u64() % 60, to = from + entropy.u64() % 9;
      std::set<std::uint64_t> missing;
      for (auto seq = from; seq <= to; ++seq) {
        if (!model.contains(seq)) missing.insert(seq);
      }
      std::set<std::uint64_t> said;
      for (const auto& range : subtract({from, to}, ranges)) {
        for (auto seq = range.from; seq <= range.to; ++seq) said.insert(seq);
      }
      ASSERT_EQ(said, missing);
      ASSERT_EQ(covers(ranges, {from, to}), missing.empty());
      add(ranges, {from, to});
      model.insert(missing.begin(), missing.end());
      ASSERT_TRUE(well_formed(ranges));
    }
  }
}

}  // namespace
}  // namespace infiniedge::sync
