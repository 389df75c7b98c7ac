// SPDX-License-Identifier: Apache-2.0
#include "device/payload.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "device/testing/collector.hpp"

namespace infiniedge::device {
namespace {

constexpr std::array<Option, 6> kOptions{kJsonOption,       kBinaryOffsetOption,
                                         kBinaryTypeOption, kBinaryOrderOption,
                                         kTimeOption,       kTimeOffsetOption};

Result<Value> read(std::string_view body, OptionValues values, std::string type = "float64") {
  const auto point = testing::make_point("p", "t", std::move(type));
  OptionReader options(kOptions, values, "point p");
  const auto extract = Extract::value_of(options, point);
  INFINIEDGE_TRY(options.fault());
  PayloadReader reader;
  reader.begin(body);
  return reader.read(extract);
}

TEST(Payload, JsonPointerFindsNestedIndexedAndEscapedNames) {
  const auto* const body = R"({"a/b":[{"m~n":21.5},true,null,"x"],"big":18446744073709551615})";
  EXPECT_EQ(std::get<double>(*read(body, {{"json", "/a~1b/0/m~0n"}})), 21.5);
  EXPECT_EQ(std::get<bool>(*read(body, {{"json", "/a~1b/1"}})), true);
  EXPECT_EQ(std::get<std::string>(*read(body, {{"json", "/a~1b/3"}})), "x");
  EXPECT_EQ(std::get<double>(*read(body, {{"json", "/big"}})), 18446744073709551615.0);
  EXPECT_EQ(std::get<std::string>(*read(body, {{"json", "/a~1b/0"}})), R"({"m~n":21.5})");
  EXPECT_EQ(read(body, {{"json", "/a~1b/2"}}).error().message(),
            "the payload has null at \"/a~1b/2\"");
  EXPECT_EQ(read(body, {{"json", "/none"}}).error().message(), "the payload has nothing at /none");
}

TEST(Payload, BrokenJsonIsRefusedWithItsPosition) {
  const auto torn = read(R"({"a":1, "b":)", {{"json", "/a"}});
  ASSERT_FALSE(torn);
  EXPECT_TRUE(torn.error().message().starts_with("the payload is not JSON at byte 12"))
      << torn.error().message();
  EXPECT_TRUE(read(R"({"a":1 x})", {{"json", "/a"}})
                  .error()
                  .message()
                  .starts_with("the payload is not JSON at byte 7"));
  EXPECT_FALSE(read("", {{"json", ""}}));
}

TEST(Payload, BinaryIsReadAtItsOffsetInEitherOrder) {
  std::string body;
  base::put(body, std::int64_t{1'700'000'000'000'000});
  base::put(body, std::uint32_t{7});
  base::put(body, 0.5F);
  EXPECT_EQ(std::get<std::int64_t>(*read(body, {{"binary.offset", "8"}}, "uint32")), 7);
  EXPECT_EQ(std::get<double>(*read(body, {{"binary.offset", "12"}, {"binary.type", "float32"}})),
            0.5);
  EXPECT_EQ(std::get<std::string>(*read(body, {{"binary.offset", "12"}}, "bytes")),
            body.substr(12));
  EXPECT_EQ(std::get<std::int64_t>(*read(
                "\x01\x02",
                {{"binary.offset", "0"}, {"binary.type", "uint16"}, {"binary.order", "big"}})),
            0x0102);
  EXPECT_EQ(read(body, {{"binary.offset", "13"}, {"binary.type", "float32"}}).error().message(),
            "the payload ends at byte 16, but a float32 was expected at byte 13");
  EXPECT_TRUE(std::get<std::string>(*read(body, {{"binary.offset", "16"}}, "bytes")).empty());
}

TEST(Payload, OptionsThatCannotStandTogetherAreRefused) {
  EXPECT_FALSE(read("1", {{"json", "/a"}, {"binary.offset", "0"}}));
  EXPECT_FALSE(read("1", {{"json", "a"}}));
  EXPECT_FALSE(read("1", {{"json", "/a~2"}}));
  EXPECT_FALSE(read("1", {{"binary.type", "float16"}}));
}

}  // namespace
}  // namespace infiniedge::device
