// SPDX-License-Identifier: Apache-2.0
#include "stream/predicate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using ::testing::HasSubstr;
using testing::machine;
using testing::make_batch;

/// The value of an expression over one row: temp 20.5, load 3, count 7, on, 'Pump-Größe'.
std::string value(const std::string& text) {
  const auto schema = machine();
  const auto batch = make_batch(
      schema, {{"dev", 61.5, {20.5, 3.0, std::int64_t{7}, std::int64_t{1}, "Pump-Größe"}}});
  auto made = Expression::compile(text, schema);
  if (!made) return made.error().front().id + " " + made.error().front().message;
  const auto column = made->values(batch);
  if (made->field().type == Type::Float && !column.is_null(0)) {
    return fmt::format("{:.6g}", column.floats()[0]);
  }
  return display(made->field(), column, 0);
}

TEST(Expression, ComputesArithmeticAndTypes) {
  EXPECT_EQ(value("temp + load"), "23.5");
  EXPECT_EQ(value("count / 2"), "3.5");
  EXPECT_EQ(value("count % 4"), "3");
  EXPECT_EQ(value("-count * 2 + 1"), "-13");
  EXPECT_EQ(value("1 + 2 * 3"), "7");
  EXPECT_EQ(value("round(temp / 3, 2)"), "6.83");
  EXPECT_EQ(value("abs(-count)"), "7");
  EXPECT_EQ(value("sqrt(16) + power(2, 10) + pi() * 0"), "1028");
  EXPECT_EQ(value("CAST('12.5' AS float) + CAST('3' AS int)"), "15.5");
  EXPECT_EQ(value("CAST('x' AS int)"), "-");
  EXPECT_EQ(value("CAST(temp AS int)"), "21");
  EXPECT_EQ(value("unit(temp, 'K')"), "293.65");
  EXPECT_EQ(value("unit(temp, '[degF]')"), "68.9");
}

TEST(Expression, ComputesConditions) {
  EXPECT_EQ(value("temp > 20 AND load <= 3"), "true");
  EXPECT_EQ(value("temp BETWEEN 20.5 AND 21 AND count NOT BETWEEN 1 AND 6"), "true");
  EXPECT_EQ(value("count IN (1, 7) AND mode NOT IN ('a', 'b')"), "true");
  EXPECT_EQ(value("wave IS NULL AND load IS NOT NULL"), "true");
  EXPECT_EQ(value("wave IS NULL OR length(CAST(NULL AS string)) > 1"), "true");
  EXPECT_EQ(value("NULL AND FALSE"), "false");
  EXPECT_EQ(value("NULL OR FALSE"), "-");
  EXPECT_EQ(value("count IN (1, NULL)"), "-");
  EXPECT_EQ(value("mode LIKE 'Pump-Gr__e' AND NOT mode LIKE '%x%' AND mode LIKE '%mp%e'"), "true");
  EXPECT_EQ(value("CASE WHEN count > 8 THEN 'high' WHEN count > 6 THEN 'mid' END"), "mid");
  EXPECT_EQ(value("coalesce(NULL, load, 9)"), "3");
  EXPECT_EQ(value("nullif(count, 7)"), "-");
  EXPECT_EQ(value("greatest(1, count, 2.5)"), "7");
  EXPECT_EQ(value("least(temp, 99)"), "20.5");
  EXPECT_EQ(value("device = 'dev' AND _q = 0"), "true");
}

TEST(Expression, ComputesTextsAndTimes) {
  EXPECT_EQ(value("upper(substr(mode, 6, 2)) || '!' || count"), "GR!7");
  EXPECT_EQ(value("length(mode)"), "10");
  EXPECT_EQ(value("replace(mode, 'ö', 'oe')"), "Pump-Groeße");
  EXPECT_EQ(value("split_part(mode, '-', 2)"), "Größe");
  EXPECT_EQ(value("position(mode, 'ße')"), "9");
  EXPECT_EQ(value("trim('  a ') || '|'"), "a|");
  EXPECT_EQ(value("json_value('{\"a\": [1, {\"b\": \"x\"}]}', '/a/1/b')"), "x");
  EXPECT_EQ(value("json_value('nonsense', '/a')"), "-");
  EXPECT_EQ(value("ts - time_bucket(1m, ts)"), "1500000");
  EXPECT_EQ(value("substr('abc', -1, 3) || substr('abc', 9) || substr('abc', 2)"), "abc");
}

TEST(Expression, RefusesWhatDoesNotFit) {
  EXPECT_THAT(value("mode + 1"), HasSubstr("R004"));
  EXPECT_THAT(value("mode > 1"), HasSubstr("R004"));
  EXPECT_THAT(value("avg(load)"), HasSubstr("R004"));
  EXPECT_THAT(value("window_start()"), HasSubstr("R005"));
  EXPECT_THAT(value("model('x', load)"), HasSubstr("R004"));
  EXPECT_THAT(value("temp > unit(temp, '[degF]')"), HasSubstr("R006"));
  EXPECT_THAT(value("sqrt(load, 2)"), HasSubstr("R004"));
  EXPECT_THAT(value("wave_onset(wave, count, 2)"), HasSubstr("R004"));
  EXPECT_THAT(value("state.label = 'x'"), HasSubstr("R003"));
  EXPECT_FALSE(Expression::compile_condition("load + 1", machine()));
}

TEST(Expression, ReadsAModelsAnswerByMember) {
  const auto schema = testing::make_schema("s", {{.name = "state_label", .type = Type::String},
                                                 {.name = "state_err", .type = Type::String}});
  const auto batch = make_batch(schema, {{"a", 0, {"worn", {}}}, {"a", 1, {"ok", "late"}}});
  auto made = Expression::compile_condition("state.label = 'worn' AND state._err IS NULL", schema);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->holds(batch), (std::vector<bool>{true, false}));
}

TEST(Expression, KeepsTheStateOfAnalyticFunctions) {
  const auto schema = machine();
  auto made = Expression::compile_condition("had_changed(TRUE, mode)", schema);
  ASSERT_TRUE(made);
  const auto row = [&](const char* mode) {
    return make_batch(schema, {{"a", 0, {{}, {}, {}, {}, mode}}});
  };
  EXPECT_EQ(made->holds(row("x")), std::vector<bool>{true});
  EXPECT_EQ(made->holds(row("x")), std::vector<bool>{false});
  EXPECT_EQ(made->holds(row("y")), std::vector<bool>{true});
}

TEST(Template, PutsValuesIntoASentence) {
  const auto schema = machine();
  const auto batch = make_batch(schema, {{"dev", 0, {20.5, 1.0 / 3}}, {"b", 0, {}}});
  auto made = Template::compile("{{{device}}}: {temp} °C, {round(load * 100)} %, {mode}", schema);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->render(batch, 0), "{dev}: 20.5 °C, 33 %, -");
  EXPECT_EQ(made->render(batch, 1), "{b}: - °C, - %, -");
}

TEST(Template, PointsAtTheFault) {
  const auto made = Template::compile("Größe {tmep} is high", machine());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error()[0].column, 8);
  EXPECT_EQ(made.error()[0].suggestion, "temp");
  EXPECT_FALSE(Template::compile("open {temp", machine()));
  EXPECT_FALSE(Template::compile("shut temp}", machine()));
}

}  // namespace
}  // namespace infiniedge::stream
