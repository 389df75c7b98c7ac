// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Row;

Row load(std::string device, double seconds, Scalar value) {
  return {std::move(device), seconds, {{}, std::move(value)}};
}
Row mode(std::string device, double seconds, Scalar value) {
  return {std::move(device), seconds, {{}, {}, {}, {}, std::move(value)}};
}

TEST(Analytic, LagIsPerDeviceUnlessOverSaysOtherwise) {
  Bench b(
      "SELECT lag(load) AS own, lag(load) OVER () AS any, lag(load, 2, -1) AS second "
      "FROM machine");
  b.feed({load("a", 1, 1.0), load("b", 2, 2.0)}).feed({load("a", 3, 3.0), load("a", 4, 4.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@1 own=- any=- second=-1", "b@2 own=- any=1 second=-1",
                                   "a@3 own=1 any=2 second=-1", "a@4 own=3 any=3 second=1"));
}

TEST(Analytic, PartitionsByAnExpression) {
  Bench b("SELECT lag(load) OVER (PARTITION BY mode) AS l FROM machine");
  b.feed({{"a", 1, {{}, 1.0, {}, {}, "x"}},
          {"b", 2, {{}, 2.0, {}, {}, "x"}},
          {"a", 3, {{}, 3.0, {}, {}, "y"}}});
  EXPECT_THAT(b.out(), ElementsAre("a@1 l=-", "b@2 l=1", "a@3 l=-"));
}

TEST(Analytic, WhenNarrowsWhichRowsCount) {
  Bench b("SELECT lag(load) OVER (WHEN load > 2) AS l FROM machine");
  b.feed({load("a", 1, 3.0), load("a", 2, 1.0), load("a", 3, 4.0), load("a", 4, 5.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@1 l=-", "a@2 l=-", "a@3 l=3", "a@4 l=4"));
}

TEST(Analytic, RunsBeforeWhere) {
  Bench b("SELECT delta(load) AS d FROM machine WHERE load > 2");
  b.feed({load("a", 1, 1.0), load("a", 2, 3.0), load("a", 3, 2.0), load("a", 4, 7.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@2 d=2", "a@4 d=5"));
}

TEST(Analytic, HadChangedSeesTheFirstValueAndNullAsItIsTold) {
  Bench b(
      "SELECT had_changed(TRUE, mode) AS i, had_changed(FALSE, mode) AS n, "
      "changed_col(TRUE, mode) AS c FROM machine");
  b.feed({mode("a", 1, {}), mode("a", 2, "x"), mode("a", 3, {}), mode("a", 4, "x"),
          mode("a", 5, "y")});
  EXPECT_THAT(b.out(), ElementsAre("a@1 i=false n=false c=-", "a@2 i=true n=true c=x",
                                   "a@3 i=false n=true c=-", "a@4 i=false n=true c=-",
                                   "a@5 i=true n=true c=y"));
}

TEST(Analytic, HadChangedLooksAtAllItsColumns) {
  Bench b("SELECT load FROM machine WHERE had_changed(TRUE, load, mode)");
  b.feed({{"a", 1, {{}, 1.0, {}, {}, "x"}},
          {"a", 2, {{}, 1.0, {}, {}, "x"}},
          {"a", 3, {{}, 1.0, {}, {}, "y"}},
          {"b", 4, {{}, 1.0, {}, {}, "y"}}});
  EXPECT_THAT(b.out(), ElementsAre("a@1 load=1", "a@3 load=1", "b@4 load=1"));
}

TEST(Analytic, DeadbandReportsFirstThenMovesThenSilence) {
  Bench b("SELECT load FROM machine WHERE deadband(load, 0.1, 10s)");
  b.feed({load("a", 1, 0.2), load("a", 2, 0.25), load("a", 3, 0.29), load("a", 4, 0.3),
          load("a", 5, 0.35), load("a", 14, 0.35), load("a", 15, 0.2)});
  EXPECT_THAT(b.out(),
              ElementsAre("a@1 load=0.2", "a@4 load=0.3", "a@14 load=0.35", "a@15 load=0.2"));
}

TEST(Analytic, RateKnowsCounters) {
  Bench b("SELECT rate(load) AS r, rate(load, 'counter') AS c FROM machine");
  b.feed({load("a", 0, 10.0), load("a", 2, 20.0), load("a", 4, 6.0), load("a", 4, 7.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@0 r=- c=-", "a@2 r=5 c=5", "a@4 r=-7 c=3", "a@4 r=- c=-"));
}

TEST(Analytic, EwmaHalvesTheDistanceInAHalfLife) {
  Bench b("SELECT ewma(load, 10s) AS e FROM machine");
  b.feed({load("a", 0, 0.0), load("a", 10, 8.0), load("a", 30, 8.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@0 e=0", "a@10 e=4", "a@30 e=7"));
}

TEST(Analytic, AccumulatesAndRemembersTheLatest) {
  Bench b(
      "SELECT acc_sum(load) AS s, acc_min(load) AS lo, acc_max(load) AS hi, "
      "acc_count(load) AS n, acc_avg(load) AS m, latest(load) AS l FROM machine");
  b.feed({load("a", 1, 2.0), load("a", 2, {}), load("a", 3, 4.0)});
  EXPECT_THAT(b.out(), ElementsAre("a@1 s=2 lo=2 hi=2 n=1 m=2 l=2", "a@2 s=2 lo=2 hi=2 n=1 m=2 l=2",
                                   "a@3 s=6 lo=2 hi=4 n=2 m=3 l=4"));
}

TEST(Analytic, NestsAndFeedsAggregates) {
  Bench b(
      "SELECT max(abs(delta(load))) AS d, sum(delta(delta(load))) AS dd FROM machine "
      "GROUP BY device, TUMBLE(10s)");
  b.feed({load("a", 1, 1.0), load("a", 2, 4.0), load("a", 3, 2.0)}).flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 d=3 dd=-5 _version=0"));
}

TEST(Analytic, ArgumentsAreChecked) {
  EXPECT_THAT(Bench::faults("SELECT lag(load, 99999) FROM machine"),
              ElementsAre(HasSubstr("1:18 R007")));
  EXPECT_THAT(Bench::faults("SELECT delta(mode) FROM machine"), ElementsAre(HasSubstr("R004")));
  EXPECT_THAT(Bench::faults("SELECT ewma(load, 10) FROM machine"), ::testing::SizeIs(0));
  EXPECT_THAT(Bench::faults("SELECT rate(load, 'countr') FROM machine"),
              ElementsAre(HasSubstr("[counter]")));
  EXPECT_THAT(Bench::faults("SELECT delta(load) FROM machine GROUP BY TUMBLE(1s)"),
              ElementsAre(HasSubstr("[last(delta(load))]")));
}

}  // namespace
}  // namespace infiniedge::stream
