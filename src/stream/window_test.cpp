// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;

Row load(std::string device, double seconds, double value) {
  return {std::move(device), seconds, {{}, value}};
}

const RuleSpec kPrompt{.lateness = Micros{0}};

TEST(Tumble, ClosesWhenTimeHasPassedItsEndAndLateness) {
  Bench b("SELECT sum(load) AS s, count(*) AS n FROM machine GROUP BY device, TUMBLE(10s)",
          {.lateness = Seconds{5}});
  b.feed({load("a", 0, 1), load("a", 9.999, 2), load("a", 10, 4)});
  EXPECT_THAT(b.out(), IsEmpty());
  b.feed({load("a", 14.999, 8)});
  EXPECT_THAT(b.out(), IsEmpty());
  b.feed({load("a", 15, 16)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=3 n=2 _version=0"));
  b.feed({load("a", 40, 0)});  // empty windows in between are not reported
  EXPECT_THAT(b.out(), ElementsAre("a@20 s=28 n=3 _version=0"));
}

TEST(Tumble, AlignsToTheEpochAndItsOffset) {
  Bench b(
      "SELECT window_start() AS s, window_end() AS e, count(*) AS n FROM machine "
      "GROUP BY TUMBLE(1h, 15m)",
      kPrompt);
  b.feed({load("a", 60, 1), load("a", 16 * 60, 1)});
  EXPECT_THAT(b.out(), ElementsAre("rule-1@900 s=1767222900000000 e=1767226500000000 n=1 "
                                   "_version=0"));
}

TEST(Tumble, TakesRowsOutOfOrderWithinLateness) {
  Bench b("SELECT first(load) AS f, last(load) AS l FROM machine GROUP BY device, TUMBLE(10s)");
  b.feed({load("a", 8, 8)})
      .feed({load("a", 2, 2)})
      .feed({load("a", 9, 9)})
      .feed({load("a", 12, 0)});
  b.feed({load("a", 1, 1)}).feed({load("a", 15, 0)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 f=1 l=9 _version=0"));
  EXPECT_EQ(b.stats().late, 0U);
}

TEST(Tumble, WaitsForTheSlowestDeviceUnlessItIsIdle) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY TUMBLE(10s)", kPrompt);
  b.feed({load("a", 1, 0), load("b", 2, 0)}, 2).feed({load("a", 11, 0)}, 11);
  EXPECT_THAT(b.out(), IsEmpty());
  b.tick(11.5);
  EXPECT_THAT(b.out(), IsEmpty());
  b.tick(12);  // b has been silent for ten seconds
  EXPECT_THAT(b.out(), ElementsAre("rule-1@10 n=2 _version=0"));
}

TEST(Tumble, ClosesTheLastWindowWhenEveryDeviceFallsSilent) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY TUMBLE(10s)", kPrompt);
  b.feed({load("a", 5, 0)}, 5).tick(9).tick(14.9);
  EXPECT_THAT(b.out(), IsEmpty());
  b.tick(15);
  EXPECT_THAT(b.out(), ElementsAre("rule-1@10 n=1 _version=0"));
}

TEST(Tumble, UpdatesAClosedWindowForLateRows) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY device, TUMBLE(10s)", kPrompt);
  b.feed({load("a", 1, 1), load("b", 1, 5)}).feed({load("a", 11, 0), load("b", 11, 0)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=1 _version=0", "b@10 s=5 _version=0"));
  b.feed({load("a", 2, 2), load("a", 3, 4)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=7 _version=1"));
  b.feed({load("a", 4, 8)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=15 _version=2"));
  EXPECT_EQ(b.stats().late, 3U);
  EXPECT_EQ(b.stats().dropped, 0U);
}

TEST(Tumble, SendsRowsTooOldForAnUpdateToTheSide) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY device, TUMBLE(10s)",
          {.lateness = Micros{0}, .late_keep = Seconds{60}});
  b.feed({load("a", 1, 1)}).feed({load("a", 100, 0)}).feed({load("a", 2, 2)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=1 _version=0"));
  EXPECT_THAT(b.late(), ElementsAre(HasSubstr("a@2 temp=- load=2")));
  EXPECT_EQ(b.rule().late_schema()->stream, "rule_1__late");
}

TEST(Tumble, LateSideAndLateDropNeverRepeatAWindow) {
  const std::string sql = "SELECT sum(load) AS s FROM machine GROUP BY device, TUMBLE(10s) LATE ";
  Bench side(sql + "SIDE", kPrompt);
  side.feed({load("a", 1, 1)}).feed({load("a", 11, 0)}).feed({load("a", 2, 2)});
  EXPECT_THAT(side.out(), ElementsAre("a@10 s=1"));
  EXPECT_THAT(side.late(), ElementsAre(HasSubstr("a@2")));
  Bench drop(sql + "DROP", kPrompt);
  drop.feed({load("a", 1, 1)}).feed({load("a", 11, 0)}).feed({load("a", 2, 2)});
  EXPECT_THAT(drop.out(), ElementsAre("a@10 s=1"));
  EXPECT_THAT(drop.late(), IsEmpty());
  EXPECT_EQ(drop.stats().dropped, 1U);
}

TEST(Tumble, GroupsByExpressionsAndNamesOfItems) {
  Bench b(
      "SELECT mode, load > 10 AS high, count(*) AS n FROM machine "
      "GROUP BY mode, high, TUMBLE(10s) HAVING n > 1",
      kPrompt);
  b.feed({{"a", 1, {{}, 11.0, {}, {}, "x"}},
          {"b", 2, {{}, 12.0, {}, {}, "x"}},
          {"a", 3, {{}, 1.0, {}, {}, "x"}},
          {"b", 4, {{}, 1.0, {}, {}, {}}},
          {"b", 5, {{}, 2.0, {}, {}, {}}}})
      .flush();
  EXPECT_THAT(b.out(), ElementsAre("rule-1@10 mode=- high=false n=2 _version=0",
                                   "rule-1@10 mode=x high=true n=2 _version=0"));
}

TEST(Tumble, AQualifiedNameIsTheSameColumn) {
  Bench b("SELECT m.mode, max(machine.load) AS hi FROM machine AS m GROUP BY mode, TUMBLE(10s)",
          kPrompt);
  b.feed({{"a", 1, {{}, 3.0, {}, {}, "x"}}}).flush();
  EXPECT_THAT(b.out(), ElementsAre("rule-1@10 mode=x hi=3 _version=0"));
}

TEST(Tumble, NotANumberIsNoValue) {
  Bench b(
      "SELECT count(load) AS n, max(load) AS hi, percentile(load, 0.5) AS p FROM machine "
      "GROUP BY device, TUMBLE(10s)",
      kPrompt);
  b.feed({load("a", 1, std::nan("")), load("a", 2, 3), load("a", 3, HUGE_VAL)}).flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 n=1 hi=3 p=3 _version=0"));
}

TEST(Tumble, AbsurdTimesAreDroppedNotSummed) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY device, TUMBLE(10s)", kPrompt);
  auto batch = testing::make_batch(testing::machine(), {load("a", 1, 0), load("a", 2, 0)});
  batch.ts[0] = std::numeric_limits<std::int64_t>::min();
  b.rule().feed(std::make_shared<const Batch>(batch), testing::at(2));
  batch.ts[0] = std::numeric_limits<std::int64_t>::max();
  b.rule().feed(std::make_shared<const Batch>(batch), testing::at(2));
  EXPECT_THAT(b.flush().out(), ElementsAre("a@10 n=2 _version=0"));
  EXPECT_EQ(b.stats().dropped, 2U);
}

TEST(Tumble, FiltersAggregatesAndWholeWindows) {
  Bench b(
      "SELECT count(*) FILTER (WHERE load > 2) AS big, count(*) AS n FROM machine "
      "GROUP BY device, TUMBLE(10s) FILTER (WHERE load < 9)",
      kPrompt);
  b.feed({load("a", 1, 1), load("a", 2, 3), load("a", 3, 10)}).flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 big=1 n=2 _version=0"));
}

TEST(Tumble, CarriesTheWorstQualityOfItsRows) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY device, TUMBLE(10s)", kPrompt);
  b.feed({{"a", 1, {}, Quality::Good}, {"a", 2, {}, Quality::Bad}, {"b", 1, {}, Quality::Good}});
  b.flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 n=2 _version=0 q=4", "b@10 n=1 _version=0"));
}

TEST(Hop, OverlapsByPanes) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY device, HOP(10s, 5s)", kPrompt);
  b.feed({load("a", 1, 1), load("a", 6, 2), load("a", 11, 4)});
  EXPECT_THAT(b.out(), ElementsAre("a@5 s=1 _version=0", "a@10 s=3 _version=0"));
  b.flush();
  EXPECT_THAT(b.out(), ElementsAre("a@15 s=6 _version=0", "a@20 s=4 _version=0"));
}

TEST(Hop, LateRowsUpdateTheClosedAndCountInTheOpen) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY device, HOP(10s, 5s)", kPrompt);
  b.feed({load("a", 6, 1)}).feed({load("a", 11, 2)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=1 _version=0"));
  b.feed({load("a", 7, 10)});
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=11 _version=1"));
  b.flush();
  EXPECT_THAT(b.out(), ElementsAre("a@15 s=13 _version=0", "a@20 s=2 _version=0"));
}

TEST(Hop, SampleWindowsLeaveTheGapsOut) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY HOP(1s, 10s)", kPrompt);
  b.feed({load("a", 0.5, 1), load("a", 5, 2), load("a", 10.5, 4)}).flush();
  EXPECT_THAT(b.out(), ElementsAre("rule-1@1 s=1 _version=0", "rule-1@11 s=4 _version=0"));
}

TEST(Hop, UnevenStepsGiveTheSameSumsAsCountingEachWindow) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY HOP(10s, 4s) LATE DROP", kPrompt);
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) rows.push_back(load("a", i * 0.5, i));
  b.feed(rows).flush();
  std::vector<std::string> expected;
  // 2026-01-01 is a multiple of four seconds, and of two.
  for (int end = 2; end < 60; ++end) {
    double sum = 0;
    bool any = false;
    for (int i = 0; i < 100; ++i) {
      if (i * 0.5 < end - 10 || i * 0.5 >= end) continue;
      sum += i;
      any = true;
    }
    const bool window = (end - 10 + 400) % 4 == 0;
    if (any && window)
      expected.push_back("rule-1@" + std::to_string(end) +
                         " s=" + std::to_string(static_cast<int>(sum)));
  }
  EXPECT_EQ(b.out(), expected);
}

TEST(CountWindow, GivesTheLastNEachStep) {
  Bench b(
      "SELECT sum(load) AS s, first(load) AS f FROM machine GROUP BY device, COUNT_WINDOW(3, 2)");
  b.feed({load("a", 1, 1), load("a", 2, 2), load("b", 2, 100), load("a", 3, 4)});
  EXPECT_THAT(b.out(), ElementsAre("a@3 s=7 f=1"));
  b.feed({load("a", 4, 8)}).feed({load("a", 5, 16), load("a", 6, 32), load("a", 7, 64)});
  EXPECT_THAT(b.out(), ElementsAre("a@5 s=28 f=4", "a@7 s=112 f=16"));
}

TEST(CountWindow, SkipsRowsBetweenWhenTheStepIsLonger) {
  Bench b("SELECT sum(load) AS s FROM machine GROUP BY COUNT_WINDOW(2, 3)");
  for (int i = 1; i <= 7; ++i) b.feed({load("a", i, i)});
  EXPECT_THAT(b.out(), ElementsAre("rule-1@3 s=5", "rule-1@6 s=11"));
}

TEST(Window, KeysThatCollideAsTextStayApart) {
  Bench b("SELECT mode, device AS d, count(*) AS n FROM machine GROUP BY mode, device, TUMBLE(1s)");
  b.feed({{"bc", 0, {{}, {}, {}, {}, "a"}}, {"c", 0, {{}, {}, {}, {}, "ab"}}}).flush();
  EXPECT_EQ(b.out().size(), 2U);
}

TEST(Window, AFloodOfGroupsIsRefusedAndCounted) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY load, TUMBLE(1h)");
  for (int k = 0; k < 11; ++k) {
    std::vector<Row> rows;
    for (int i = 0; i < 10'000; ++i) rows.push_back(load("a", 1, k * 10'000 + i));
    b.feed(rows);
  }
  EXPECT_EQ(b.stats().groups, 100'000U);
  EXPECT_EQ(b.stats().dropped, 10'000U);
}

}  // namespace
}  // namespace infiniedge::stream
