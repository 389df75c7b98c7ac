// SPDX-License-Identifier: Apache-2.0
#include "sync/arbiter.hpp"

#include <gtest/gtest.h>

namespace infiniedge::sync {
namespace {

using record::Lane;

struct Turn {
  Arbiter arbiter;
  Instant now{Seconds{1}};

  void ready(Lane lane) { arbiter.offer(lane, true, now); }
  std::optional<Lane> pick(Lane first, Lane last) const { return arbiter.pick(first, last, now); }
};

TEST(Arbiter, AHigherLaneOfAnotherConnectionHoldsBackALowerOne) {
  Turn turn;
  turn.ready(Lane::Normal);
  EXPECT_EQ(turn.pick(Lane::Normal, Lane::Bulk), Lane::Normal);
  turn.ready(Lane::Alarm);
  turn.arbiter.sent(Lane::Normal, 1000, turn.now);
  EXPECT_EQ(turn.pick(Lane::Normal, Lane::Bulk), std::nullopt);
  EXPECT_EQ(turn.pick(Lane::Alarm, Lane::High), Lane::Alarm);
}

TEST(Arbiter, EachLaneGetsATwentiethAndTheFirstTheRest) {
  Turn turn;
  for (const auto lane : {Lane::Alarm, Lane::High, Lane::Normal, Lane::Bulk}) turn.ready(lane);
  std::array<int, kLanes> counts{};
  for (int i = 0; i < 2000; ++i) {
    const auto lane = turn.pick(Lane::Alarm, Lane::Bulk);
    ASSERT_TRUE(lane.has_value());
    ++counts[static_cast<std::size_t>(*lane)];
    turn.arbiter.sent(*lane, 1000, turn.now);
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) EXPECT_NEAR(counts[lane], 100, 10) << lane;
  EXPECT_GT(counts[0], 1650);
}

TEST(Arbiter, AStuckLaneDoesNotHoldUpTheOthers) {
  Turn turn;
  turn.ready(Lane::Alarm);
  turn.ready(Lane::Bulk);
  turn.arbiter.sent(Lane::Bulk, 1000, turn.now);
  EXPECT_EQ(turn.pick(Lane::Normal, Lane::Bulk), std::nullopt);
  turn.now += Seconds{2};
  EXPECT_EQ(turn.pick(Lane::Normal, Lane::Bulk), Lane::Bulk);
}

TEST(Arbiter, TellsListenersUntilForgotten) {
  Turn turn;
  int calls = 0;
  turn.arbiter.listen(&calls, [&] { ++calls; });
  turn.arbiter.sent(Lane::Alarm, 1, turn.now);
  EXPECT_EQ(calls, 1);
  turn.arbiter.forget(&calls);
  turn.arbiter.sent(Lane::Alarm, 1, turn.now);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace infiniedge::sync
