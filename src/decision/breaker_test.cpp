// SPDX-License-Identifier: Apache-2.0
#include "decision/breaker.hpp"

#include <gtest/gtest.h>

#include "decision/budget.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::decision {
namespace {

class BreakerTest : public testing::Test {
 protected:
  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{7};
  Breaker breaker_{clock_, entropy_};
};

TEST_F(BreakerTest, OpensAfterFiveFailuresInARow) {
  for (int i = 0; i < 4; ++i) breaker_.failure();
  EXPECT_TRUE(breaker_.admit());
  breaker_.failure();
  EXPECT_FALSE(breaker_.admit());
}

TEST_F(BreakerTest, OpensWhenHalfOfTheLastTwentyFailed) {
  for (int i = 0; i < 9; ++i) {
    breaker_.failure();
    breaker_.success();
  }
  breaker_.success();
  EXPECT_TRUE(breaker_.closed());
  breaker_.failure();
  EXPECT_FALSE(breaker_.closed());
}

TEST_F(BreakerTest, LetsOneProbeThroughAndClosesOnItsSuccess) {
  for (int i = 0; i < 5; ++i) breaker_.failure();
  clock_.advance(Seconds{7});
  EXPECT_TRUE(breaker_.admit());
  EXPECT_FALSE(breaker_.admit());
  breaker_.success();
  EXPECT_TRUE(breaker_.admit());
  EXPECT_TRUE(breaker_.admit());
}

TEST_F(BreakerTest, StaysOpenLongerAfterAFailedProbe) {
  for (int i = 0; i < 5; ++i) breaker_.failure();
  clock_.advance(Seconds{7});
  ASSERT_TRUE(breaker_.admit());
  breaker_.failure();
  clock_.advance(Seconds{7});
  EXPECT_FALSE(breaker_.admit());
  clock_.advance(Seconds{6});
  EXPECT_TRUE(breaker_.admit());
}

TEST_F(BreakerTest, ObeysRetryAfter) {
  breaker_.failure(Seconds{60});
  clock_.advance(Seconds{59});
  EXPECT_FALSE(breaker_.admit());
  clock_.advance(Seconds{2});
  EXPECT_TRUE(breaker_.admit());
}

TEST(Budget, SpendsTheBurstThenTheShare) {
  Budget budget(0.25, 2);
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  for (int i = 0; i < 4; ++i) budget.earn();
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
}

}  // namespace
}  // namespace infiniedge::decision
