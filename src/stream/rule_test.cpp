// SPDX-License-Identifier: Apache-2.0
#include "stream/rule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using testing::at;
using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kStart;

TEST(Rule, FiltersAndComputesRowByRow) {
  Bench b("SELECT temp, temp * 2 AS twice, upper(mode) AS m FROM machine WHERE temp > 20");
  b.feed({{"a", 1, {20.0, {}, {}, {}, "x"}}, {"b", 2, {20.1, {}, {}, {}, "y"}}});
  EXPECT_THAT(b.out(), ElementsAre("b@2 temp=20.1 twice=40.2 m=Y"));
}

TEST(Rule, KeepsDecimalsExact) {
  Bench b(
      "SELECT temp, max(temp) AS hi, first(temp) AS f, avg(temp) AS mean FROM machine "
      "GROUP BY temp, TUMBLE(1s)");
  b.feed({{"a", 0.1, {0.3}}, {"a", 0.2, {0.3}}}).flush();
  EXPECT_THAT(b.out(), ElementsAre("rule-1@1 temp=0.3 hi=0.3 f=0.3 mean=0.3 _version=0"));
  EXPECT_EQ(b.rule().output()->fields[1].type, Type::Decimal);
  EXPECT_EQ(b.rule().output()->fields[3].type, Type::Float);
  EXPECT_EQ(b.rule().output()->fields[1].unit, "Cel");
}

TEST(Rule, StarTakesAllButTheExcepted) {
  Bench b("SELECT * EXCEPT (wave, \"on\", mode) FROM machine");
  b.feed({{"a", 1, {20.5, 1.5, std::int64_t{7}}}});
  EXPECT_THAT(b.out(), ElementsAre("a@1 temp=20.5 load=1.5 count=7"));
}

TEST(Rule, DivisionByZeroAndOverflowAreNullAndCounted) {
  Bench b(
      "SELECT load / count AS q, count * 9223372036854775807 AS big, sqrt(load) AS s "
      "FROM machine");
  b.feed({{"a", 1, {{}, -1.0, std::int64_t{0}}}, {"a", 2, {{}, 4.0, std::int64_t{2}}}});
  EXPECT_THAT(b.out(), ElementsAre("a@1 q=- big=0 s=-", "a@2 q=2 big=- s=2"));
  EXPECT_EQ(b.stats().errors, 3U);
}

TEST(Rule, AnUntakenBranchDoesNotFail) {
  Bench b("SELECT CASE WHEN count <> 0 THEN load / count ELSE 0 END AS q FROM machine");
  b.feed({{"a", 1, {{}, 1.0, std::int64_t{0}}}});
  EXPECT_THAT(b.out(), ElementsAre("a@1 q=0"));
  EXPECT_EQ(b.stats().errors, 0U);
}

TEST(Rule, OnErrorSkipsBuriesOrStops) {
  const std::string sql = "SELECT load / count AS q FROM machine";
  const std::vector<testing::Row> rows{{"a", 1, {{}, 1.0, std::int64_t{0}}},
                                       {"a", 2, {{}, 1.0, std::int64_t{2}}}};
  Bench skip(sql, {.on_error = OnError::Skip});
  EXPECT_THAT(skip.feed(rows).out(), ElementsAre("a@2 q=0.5"));
  EXPECT_EQ(skip.stats().dropped, 1U);
  Bench bury(sql, {.on_error = OnError::DeadLetter});
  EXPECT_THAT(bury.feed(rows).out(), ElementsAre("a@2 q=0.5"));
  EXPECT_THAT(bury.dead(), ElementsAre(HasSubstr("a@1 temp=- load=1 count=0")));
  EXPECT_EQ(bury.rule().dead_schema()->stream, "rule_1__dead");
  Bench stop(sql, {.on_error = OnError::Stop});
  EXPECT_THAT(stop.feed(rows).feed(rows).out(), IsEmpty());
  EXPECT_NE(stop.stats().stopped, "");
}

TEST(Rule, RowsFromTheFutureAreStaleAndDoNotMoveTime) {
  Bench b("SELECT count(*) AS n FROM machine GROUP BY device, TUMBLE(10s)",
          {.lateness = Micros{0}});
  b.feed({{"a", 1, {}}, {"a", 500, {}}}, 1);
  EXPECT_THAT(b.out(), IsEmpty());
  b.feed({{"a", 11, {}}}, 11);
  EXPECT_THAT(b.out(), ElementsAre("a@10 n=1 _version=0"));
  Bench rows("SELECT load FROM machine");
  rows.feed({{"a", 1, {}}, {"a", 61.5, {}}, {"a", 60, {}}}, 1);
  EXPECT_THAT(rows.out(), ElementsAre("a@1 load=-", "a@61.5 load=- q=3", "a@60 load=-"));
}

TEST(Rule, AMalformedBatchIsRefusedWhole) {
  Bench b("SELECT load FROM machine");
  auto batch = testing::make_batch(testing::machine(), {{"a", 1, {}}});
  batch.columns.pop_back();
  b.rule().feed(std::make_shared<const Batch>(std::move(batch)), at(1));
  EXPECT_THAT(b.out(), IsEmpty());
  EXPECT_EQ(b.stats().dropped, 1U);
}

TEST(Rule, ReadsAnotherVersionOfItsInputByName) {
  Bench b("SELECT temp, mode FROM machine");
  auto newer = testing::make_schema(
      "machine",
      {{.name = "mode", .type = Type::String},
       {.name = "temp", .type = Type::Decimal, .unit = "Cel", .resolution = Resolution{1, 2}}});
  const auto batch = testing::make_batch(newer, {{"a", 1, {"on", 20.25}}});
  b.rule().feed(std::make_shared<const Batch>(batch), at(1));
  EXPECT_THAT(b.out(), ElementsAre("a@1 temp=20.3 mode=on"));
}

}  // namespace
}  // namespace infiniedge::stream
