// SPDX-License-Identifier: Apache-2.0
#include "runtime/scope.hpp"

#include <gtest/gtest.h>

#include "runtime/clock.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::runtime {
namespace {

Task<void> sleep_then_count(Clock& clock, Micros by, int& count, int& cancelled) {
  const auto slept = co_await clock.sleep_for(by);
  if (slept)
    ++count;
  else
    ++cancelled;
}

Task<void> close(Scope& scope) { co_await scope.close(); }

TEST(Scope, CloseCancelsAndWaitsForEveryChild) {
  boost::asio::io_context context;
  SystemClock clock;
  Scope scope(context.get_executor());
  int count = 0, cancelled = 0;
  for (int i = 0; i < 3; ++i) scope.spawn(sleep_then_count(clock, Seconds{3600}, count, cancelled));
  context.poll();
  testing::run(context, close(scope));
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(cancelled, 3);
}

TEST(Scope, SpawnAfterCloseIsDropped) {
  boost::asio::io_context context;
  SystemClock clock;
  Scope scope(context.get_executor());
  testing::run(context, close(scope));
  int count = 0, cancelled = 0;
  scope.spawn(sleep_then_count(clock, Micros{0}, count, cancelled));
  EXPECT_EQ(scope.size(), 0U);
}

TEST(SimClock, WakesSleepersOnlyWhenTurned) {
  boost::asio::io_context context;
  testing::SimClock clock;
  Scope scope(context.get_executor());
  int count = 0, cancelled = 0;
  scope.spawn(sleep_then_count(clock, Seconds{10}, count, cancelled));
  scope.spawn(sleep_then_count(clock, Seconds{20}, count, cancelled));
  context.poll();
  clock.advance(Seconds{10});
  context.restart();
  context.poll();
  EXPECT_EQ(count, 1);
  testing::run(context, close(scope));
  EXPECT_EQ(cancelled, 1);
}

}  // namespace
}  // namespace infiniedge::runtime
