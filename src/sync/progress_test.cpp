// SPDX-License-Identifier: Apache-2.0
#include "sync/progress.hpp"

#include <gtest/gtest.h>

namespace infiniedge::sync {
namespace {

TEST(Progress, MovesInTheOrderOfSending) {
  Progress progress;
  progress.sent(1, {1, 10}, 10);
  progress.sent(1, {11, 20}, 10);
  progress.sent(2, {21, 30}, 10);
  EXPECT_EQ(progress.acknowledge(2, {{21, 30}}), 0U);
  EXPECT_EQ(progress.acknowledged(), (Position{0, 0}));
  EXPECT_EQ(progress.acknowledge(1, {{1, 10}}), 10U);
  EXPECT_EQ(progress.acknowledged(), (Position{1, 10}));
  EXPECT_EQ(progress.acknowledge(1, {{1, 20}}), 20U);
  EXPECT_EQ(progress.acknowledged(), (Position{2, 30}));
  EXPECT_TRUE(progress.idle());
}

TEST(Progress, ADuplicateAcknowledgementChangesNothing) {
  Progress progress;
  progress.sent(1, {1, 10}, 10);
  EXPECT_EQ(progress.acknowledge(1, {{1, 10}}), 10U);
  EXPECT_EQ(progress.acknowledge(1, {{1, 10}}), 0U);
}

TEST(Progress, RewindSendsAgainFromTheHole) {
  Progress progress(Position{1, 5});
  progress.sent(1, {6, 10}, 5);
  progress.sent(1, {11, 20}, 10);
  EXPECT_TRUE(progress.rewind(1, 11));
  EXPECT_EQ(progress.next(), (Position{1, 10}));
  EXPECT_EQ(progress.acknowledge(1, {{1, 10}}), 5U);
  EXPECT_FALSE(progress.rewind(1, 40));
  EXPECT_FALSE(progress.rewind(3, 1));
}

TEST(Progress, ARewindBelowTheCursorNeverTakesItBack) {
  Progress progress(Position{1, 50});
  progress.sent(1, {51, 60}, 10);
  EXPECT_TRUE(progress.rewind(1, 1));
  progress.sent(1, {1, 30}, 30);
  progress.acknowledge(1, {{1, 30}});
  EXPECT_EQ(progress.acknowledged(), (Position{1, 50}));
  progress.sent(1, {31, 60}, 30);
  progress.acknowledge(1, {{1, 60}});
  EXPECT_EQ(progress.acknowledged(), (Position{1, 60}));
}

}  // namespace
}  // namespace infiniedge::sync
