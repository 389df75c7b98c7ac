// SPDX-License-Identifier: Apache-2.0
#include "device/row.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "device/testing/collector.hpp"

namespace infiniedge::device {
namespace {

using testing::make_device;
using testing::make_point;

Timestamp at(std::int64_t us) { return from_us(us); }

TEST(RowBuilder, ScalesAndKeepsTheFieldsType) {
  auto point = make_point("temp", "a", "int16");
  point.scale = 0.1;
  point.offset = -5;
  point.field.type = Type::Float;
  const auto device = make_device("d", "x", {point, make_point("on", "b", "bool")});
  RowBuilder rows(device, nullptr);
  EXPECT_TRUE(rows.add(at(7), {{Value{std::int64_t{215}}}, {Value{std::string{"true"}}}}));
  const auto batch = rows.take();
  ASSERT_EQ(batch.rows(), 1U);
  EXPECT_DOUBLE_EQ(batch.columns[0].floats()[0], 16.5);
  EXPECT_EQ(batch.columns[1].ints()[0], 1);
  EXPECT_EQ(batch.ts[0], 7);
  EXPECT_EQ(batch.device_of(0), "d");
  EXPECT_EQ(rows.rows(), 0U);
}

TEST(RowBuilder, DecimalIsStoredInStepsOfItsResolution) {
  auto point = make_point("t", "a");
  point.field.type = Type::Decimal;
  point.field.resolution = Resolution{.mantissa = 5, .scale = 1};
  const auto device = make_device("d", "x", {point});
  RowBuilder rows(device, nullptr);
  rows.add(at(1), {{Value{21.3}}});  // 21.3 → 21.5, the nearest half.
  rows.add(at(2), {{Value{1e18}}});  // 19 digits: does not fit.
  const auto batch = rows.take();
  EXPECT_EQ(batch.columns[0].ints()[0], 215);
  EXPECT_TRUE(batch.columns[0].is_null(1));
  EXPECT_EQ(batch.quality[1], Quality::Bad);
}

TEST(RowBuilder, OutOfRangeAndNotANumberAreNullAndBad) {
  auto point = make_point("p", "a");
  point.field.min = 0;
  point.field.max = 50;
  const auto device = make_device("d", "x", {point, make_point("other", "b")});
  Latest latest(2);
  RowBuilder rows(device, &latest);
  rows.add(at(1), {{Value{50.0}}, {Value{1.0}}});
  rows.add(at(2), {{Value{50.1}}, {Value{2.0}}});
  rows.add(at(3), {{Value{std::numeric_limits<double>::quiet_NaN()}}, {Value{3.0}}});
  rows.add(at(4), {{Value{std::string{"warm"}}}, {Value{4.0}}});
  const auto batch = rows.take();
  EXPECT_EQ(batch.quality, (std::vector{Quality::Good, Quality::Bad, Quality::Bad, Quality::Bad}));
  EXPECT_EQ(batch.columns[0].nulls, (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(batch.columns[1].floats(), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(latest.entries()[0].reason, kBadDecodingError);
  EXPECT_EQ(std::get<double>(latest.entries()[0].value), 50.0);  // The last usable one.
  EXPECT_EQ(latest.entries()[1].quality, Quality::Good);
}

TEST(RowBuilder, IntegerTypesHaveTheirBounds) {
  const auto device = make_device("d", "x", {make_point("n", "a", "uint8")});
  RowBuilder rows(device, nullptr);
  for (const auto& value : {Value{std::int64_t{255}}, Value{std::int64_t{256}}, Value{2.5},
                            Value{std::string{"17"}}, Value{std::int64_t{-1}}}) {
    rows.add(at(1), {{value}});
  }
  const auto batch = rows.take();
  EXPECT_EQ(batch.columns[0].nulls, (std::vector<bool>{false, true, true, false, true}));
  EXPECT_EQ(batch.columns[0].ints()[3], 17);
}

TEST(RowBuilder, ValuesWithinTheDeadbandMakeNoRow) {
  auto point = make_point("p", "a");
  point.deadband = 1;
  const auto device = make_device("d", "x", {point});
  RowBuilder rows(device, nullptr);
  EXPECT_TRUE(rows.add(at(1), {{Value{10.0}}}));
  EXPECT_FALSE(rows.add(at(2), {{Value{10.9}}}));
  EXPECT_FALSE(rows.add(at(3), {{Value{9.1}}}));
  EXPECT_TRUE(rows.add(at(4), {{Value{11.0}}}));
  EXPECT_TRUE(rows.add(at(5), {Cell::bad(kBadTimeout)}));
  EXPECT_EQ(rows.take().rows(), 3U);
}

TEST(RowBuilder, PointsWithoutNewsAreNullButNotBad) {
  const auto device = make_device("d", "x", {make_point("a", "a"), make_point("s", "b", "string")});
  RowBuilder rows(device, nullptr);
  EXPECT_FALSE(rows.add(at(1), {Cell{}, Cell{}}));
  EXPECT_TRUE(rows.add(at(2), {Cell{}, {Value{std::string{"hi"}}}}));
  const auto batch = rows.take();
  EXPECT_TRUE(batch.columns[0].is_null(0));
  EXPECT_EQ(batch.columns[1].binary()[0], "hi");
  EXPECT_EQ(batch.quality[0], Quality::Good);
}

TEST(RowBuilder, StringsMustBeUtf8) {
  const auto device =
      make_device("d", "x", {make_point("s", "a", "string"), make_point("b", "b", "bytes")});
  RowBuilder rows(device, nullptr);
  rows.add(at(1), {{Value{std::string{"\xFF\xFE"}}}, {Value{std::string{"\xFF\xFE"}}}});
  const auto batch = rows.take();
  EXPECT_TRUE(batch.columns[0].is_null(0));
  EXPECT_EQ(batch.columns[1].binary()[0], "\xFF\xFE");
}

}  // namespace
}  // namespace infiniedge::device
