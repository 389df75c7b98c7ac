// SPDX-License-Identifier: Apache-2.0
#include "decision/acts.hpp"

#include <gtest/gtest.h>

namespace infiniedge::decision {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

class ActsTest : public testing::Test {
 protected:
  ActsTest()
      : alarms_([this](Batch batch) { rows_ += batch.rows(); }, [](const Alarm&) {}, 1),
        acts_(alarms_, [this](const auto& device, const auto& point, const auto& value) {
          written_.push_back(device + "." + point + "=" + value);
        }) {
    Schema schema{.stream = "pump"};
    schema.fields.push_back({.id = kFirstField, .name = "temp", .type = Type::Float});
    schema_ = std::make_shared<const Schema>(std::move(schema));
  }

  void feed(std::int64_t second, double temp, const std::string& device = "p1") {
    Batch batch{.schema = schema_,
                .devices = {device},
                .device = {0},
                .ts = {second * kSecond},
                .quality = {Quality::Good}};
    batch.columns.push_back({.values = std::vector<double>{temp}});
    acts_.on_rows(std::make_shared<const Batch>(std::move(batch)));
  }

  void put(ActSpec spec) { ASSERT_TRUE(acts_.put("pump", schema_, {std::move(spec)}, from_us(0))); }

  std::size_t rows_ = 0;
  std::vector<std::string> written_;
  Alarms alarms_;
  Acts acts_;
  SchemaPtr schema_;
};

TEST_F(ActsTest, RaisesOnceTheConditionHasHeldAndClosesWhenItIsOver) {
  put({.when = "temp > 90",
       .hold = Seconds{5},
       .severity = "warning",
       .text = "{temp} on {device}"});
  feed(1, 95);
  feed(3, 96);
  EXPECT_EQ(alarms_.raised(), 0U);
  feed(6, 97.5);
  ASSERT_EQ(alarms_.open(), 1U);
  EXPECT_EQ(alarms_.list().back().text, "97.5 on p1");
  feed(7, 98);
  EXPECT_EQ(alarms_.raised(), 1U);
  feed(8, 20);
  EXPECT_EQ(alarms_.open(), 0U);
  EXPECT_EQ(rows_, 2U);
}

TEST_F(ActsTest, AFalseRowStartsTheHoldAnew) {
  put({.when = "temp > 90", .hold = Seconds{5}, .severity = "info", .text = "hot"});
  feed(1, 95);
  feed(4, 10);
  feed(5, 95);
  feed(8, 95);
  EXPECT_EQ(alarms_.raised(), 0U);
  feed(10, 95);
  EXPECT_EQ(alarms_.raised(), 1U);
}

TEST_F(ActsTest, CooldownKeepsItQuiet) {
  put({.when = "temp > 90", .cooldown = Seconds{60}, .severity = "info", .text = "hot"});
  feed(1, 95);
  feed(2, 10);
  feed(3, 95);
  EXPECT_EQ(alarms_.raised(), 1U);
  feed(62, 95);
  EXPECT_EQ(alarms_.raised(), 2U);
}

TEST_F(ActsTest, DevicesAreJudgedApart) {
  put({.when = "temp > 90", .severity = "info", .text = "hot"});
  feed(1, 95, "p1");
  feed(1, 10, "p2");
  EXPECT_EQ(alarms_.open(), 1U);
  feed(2, 99, "p2");
  EXPECT_EQ(alarms_.open(), 2U);
}

TEST_F(ActsTest, TickFiresBetweenRows) {
  put({.when = "temp > 90", .hold = Seconds{5}, .severity = "info", .text = "hot"});
  feed(1, 95);
  acts_.tick(from_us(4 * kSecond));
  EXPECT_EQ(alarms_.raised(), 0U);
  acts_.tick(from_us(7 * kSecond));
  EXPECT_EQ(alarms_.raised(), 1U);
}

TEST_F(ActsTest, WritesAComputedValue) {
  put({.when = "temp > 90",
       .write = ActSpec::Write{.device = "fan", .point = "speed", .value = "temp * 10"}});
  feed(1, 95);
  ASSERT_EQ(written_.size(), 1U);
  EXPECT_EQ(written_[0], "fan.speed=950");
}

TEST_F(ActsTest, RefusesAnUnknownColumn) {
  const auto refused = acts_.put("pump", schema_, {{.when = "tmep > 1", .text = "x"}}, from_us(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()[0].suggestion, "temp");
}

TEST_F(ActsTest, AcknowledgingAClosedAlarmIsStale) {
  put({.when = "temp > 90", .severity = "info", .text = "hot"});
  feed(1, 95);
  const auto id = alarms_.list().back().id;
  EXPECT_TRUE(alarms_.acknowledge(id, from_us(0)));
  feed(2, 10);
  EXPECT_EQ(alarms_.acknowledge(id, from_us(0)).error().code(), Code::Stale);
  EXPECT_EQ(alarms_.acknowledge("9-9", from_us(0)).error().code(), Code::NotFound);
}

}  // namespace
}  // namespace infiniedge::decision
