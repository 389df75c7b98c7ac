// SPDX-License-Identifier: Apache-2.0
#include "device/value.hpp"

#include <gtest/gtest.h>

#include "device/endpoint.hpp"
#include "device/options.hpp"
#include "device/testing/collector.hpp"
#include "device/timestamp.hpp"
#include "device/write_rule.hpp"

namespace infiniedge::device {
namespace {

using testing::make_device;
using testing::make_point;

TEST(Value, UnconvertUndoesScaleAndRoundsToTheRawStep) {
  auto point = make_point("p", "a", "uint16");
  point.scale = 0.1;
  EXPECT_EQ(std::get<std::int64_t>(*unconvert(point, "12.3")), 123);
  EXPECT_EQ(unconvert(point, "7000").error().code(), Code::Invalid);
  EXPECT_EQ(unconvert(point, "warm").error().code(), Code::Invalid);
  EXPECT_EQ(unconvert(point, "-0.1").error().code(), Code::Invalid);
}

TEST(Value, IntegersAboveTheSignedRangeStayApartFromSmallOnes) {
  const auto point = make_point("p", "a", "uint64");
  EXPECT_EQ(convert(point, {Value{1e19}}).quality, Quality::Good);
  EXPECT_EQ(convert(point, {Value{1e20}}).reason, kBadOutOfRange);
}

TEST(Value, JsonFormIsQuotedEscapedAndBase64ForBytes) {
  EXPECT_EQ(to_json(Value{21.5}, "float64"), "21.5");
  EXPECT_EQ(to_json(Value{std::string{"a\"b"}}, "string"), "\"a\\\"b\"");
  EXPECT_EQ(to_json(Value{std::string{"\x01\x02\x03\x04"}}, "bytes"), "\"AQIDBA==\"");
  EXPECT_EQ(to_json(Value{}, "string"), "null");
}

TEST(WriteRule, PointWithoutRuleIsReadOnly) {
  const auto device = make_device("d", "x", {make_point("p", "a")});
  const auto result = check_write(device, device.points[0], "1");
  EXPECT_EQ(result.error().code(), Code::Denied);
  EXPECT_EQ(result.error().message(),
            "point p of device d is read-only: declare write: in its resource");
}

TEST(WriteRule, BoundsStepAndEnumAreHeldAndNamed) {
  auto point = make_point("speed", "a", "uint16");
  point.write = WriteRule{.min = 0, .max = 1500, .step = 10};
  const auto device = make_device("pump", "x", {point});
  EXPECT_TRUE(check_write(device, point, "1490"));
  EXPECT_TRUE(check_write(device, point, "0"));
  const auto high = check_write(device, point, "1510");
  EXPECT_EQ(high.error().code(), Code::Invalid);
  EXPECT_EQ(high.error().message(),
            "point speed of device pump cannot be 1510: it has min 0 max 1500 step 10");
  EXPECT_FALSE(check_write(device, point, "15"));
  EXPECT_FALSE(check_write(device, point, "nan"));
  auto mode = make_point("mode", "b", "string");
  mode.write = WriteRule{.values = {"auto", "manual"}};
  EXPECT_TRUE(check_write(device, mode, "auto"));
  EXPECT_FALSE(check_write(device, mode, "off"));
}

TEST(Endpoint, PartsAreReadAndFaultsNamed) {
  const auto broker = Endpoint::parse("mqtts://broker.plant:8883");
  ASSERT_TRUE(broker);
  EXPECT_EQ(broker->scheme, "mqtts");
  EXPECT_EQ(broker->host, "broker.plant");
  EXPECT_EQ(broker->port, 8883);
  EXPECT_EQ(Endpoint::parse("tcp://[::1]:502")->text(), "[::1]:502");
  EXPECT_EQ(Endpoint::parse("tcp://host")->port, 0);
  for (const auto* wrong : {"broker:1883", "mqtt://", "mqtt://h:0", "mqtt://h:70000", "tcp://h:1/x",
                            "tcp://[::1", "mqtt://h:1x"}) {
    EXPECT_FALSE(Endpoint::parse(wrong)) << wrong;
  }
  // Whoever writes a password into an address must not find it in a log.
  const auto secret = Endpoint::parse("mqtt://u:geheim@h");
  EXPECT_EQ(secret.error().message().find("geheim"), std::string::npos);
}

TEST(Timestamp, FormsOfTimeAreTold) {
  const auto us = [](std::string_view text) {
    const auto time = parse_time(text);
    return time ? to_us(*time) : -1;
  };
  EXPECT_EQ(us("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(us("2013-12-02 21:15:00"), 1'386'018'900'000'000);
  EXPECT_EQ(us("2026-11-24T16:30:00.1234567+01:00"), 1'795'534'200'123'456);
  EXPECT_EQ(us("2024-02-29T00:00Z"), 1'709'164'800'000'000);
  for (const auto* wrong : {"2023-02-29T00:00:00Z", "2026-11-24", "2026-11-24T24:00:00Z",
                            "2026-11-24T10:00:00Zx", "1969-12-31T00:00:00Z", ""}) {
    EXPECT_EQ(us(wrong), -1) << wrong;
  }
  const auto expected = from_us(1'700'000'000'500'000);
  EXPECT_EQ(time_from(Value{1'700'000'000.5}), expected);
  EXPECT_EQ(time_from(Value{std::int64_t{1'700'000'000'500}}), expected);
  EXPECT_EQ(time_from(Value{std::int64_t{1'700'000'000'500'000}}), expected);
  EXPECT_EQ(time_from(Value{std::string{"1700000000.5"}}), expected);
  EXPECT_FALSE(time_from(Value{-1.0}));
  EXPECT_FALSE(time_from(Value{1e300}));
}

TEST(Options, DurationsNeedAUnit) {
  EXPECT_EQ(*parse_duration("250ms"), Micros{250'000});
  EXPECT_EQ(*parse_duration("1m30s"), Seconds{90});
  EXPECT_EQ(*parse_duration("7d"), std::chrono::hours{168});
  EXPECT_EQ(*parse_duration("0s"), Micros{0});
  for (const auto* wrong : {"5", "", "5 s", "s", "5x", "-1s", "1e300d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Options, FaultsNameTheOptionAndSuggest) {
  static constexpr std::array<std::string_view, 2> kVersions{"3.1.1", "5"};
  static constexpr std::array<Option, 2> kOptions{
      {{.name = "version", .type = OptionType::Enum, .fallback = "5", .values = kVersions},
       {.name = "qos", .type = OptionType::Integer, .fallback = "1", .min = 0, .max = 2}}};
  const OptionValues values{{"qos", "3"}, {"verison", "5"}};
  OptionReader options(kOptions, values, "device d");
  EXPECT_EQ(options.choice("version"), "5");
  (void)options.integer("qos");
  EXPECT_EQ(options.fault().error().message(),
            "device d: option \"qos\" is 3: it must be between 0 and 2");
  OptionReader again(kOptions, values, "device d");
  again.refuse_unknown();
  EXPECT_EQ(again.fault().error().message(),
            "device d: option \"verison\" is unknown; did you mean \"version\"?");
}

}  // namespace
}  // namespace infiniedge::device
