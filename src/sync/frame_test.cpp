// SPDX-License-Identifier: Apache-2.0
#include "sync/frame.hpp"

#include <gtest/gtest.h>

#include "sync/frame_keys.hpp"

namespace infiniedge::sync {
namespace {

record::GatewayId gateway(unsigned char fill) {
  record::GatewayId id;
  id.fill(std::byte{fill});
  return id;
}

std::vector<Frame> one_of_each() {
  const Hello hello{.gateway = gateway(7),
                    .name = "press-line",
                    .epoch = 3,
                    .first_lane = record::Lane::Alarm,
                    .last_lane = record::Lane::High,
                    .ordered = false,
                    .streams = {{1, "boiler", 2, 3, 99}, {2, "alarms", 3, 3, 0}}};
  const Welcome welcome{.hub = gateway(9),
                        .policy_version = 12,
                        .covers = {{1, 2, {{1, 50}, {60, 70}}}, {1, 3, {}}},
                        .credit = {{record::Lane::Alarm, 1 << 20}}};
  record::StreamDefinition stream{.id = 4};
  stream.schema.stream = "boiler";
  stream.schema.fields = {{.id = kFirstField, .name = "temp", .type = Type::Float}};
  record::Gap gap{.stream = 4, .epoch = 2, .from_seq = 10, .to_seq = 19, .rows = 10};
  return {
      hello,
      welcome,
      SchemaFrame{stream},
      SchemaFrame{record::DeviceDefinition{.id = 1, .name = "plug-1"}},
      Data{.stream = 4, .epoch = 2, .from = 5, .to = 9, .rows = 4, .block = "any bytes"},
      Data{.stream = 4, .epoch = 2, .from = 5, .to = 9, .rows = 5, .block = std::string(9000, 'x')},
      Ack{{4, 2, {{1, 9}}}},
      Nack{4, 2, 10},
      Credit{record::Lane::Bulk, 4 << 20},
      GapFrame{gap},
      ErrorFrame{4, Code::Exhausted, "the disk of the hub is full", 30}};
}

Result<Message> decode_text(const std::string& bytes) { return decode(base::as_bytes(bytes)); }

TEST(Frame, EveryKindComesBackAsItWas) {
  for (const auto& frame : one_of_each()) {
    const auto message = decode_text(encode(frame, record::Lane::High));
    ASSERT_TRUE(message.has_value()) << frame.index() << " " << message.error().describe();
    EXPECT_EQ(message->lane, record::Lane::High);
    EXPECT_EQ(message->frame, frame) << frame.index();
  }
}

TEST(Frame, CompressesOnlyWhatBecomesSmaller) {
  const auto frames = one_of_each();
  EXPECT_LT(encode(frames[5]).size(), 500U);
  EXPECT_EQ(encode(frames[4]).size(), key::kHeaderBytes + key::kDataBytes + 9);
}

TEST(Frame, EveryTruncationIsAnError) {
  for (const auto& frame : one_of_each()) {
    const auto bytes = encode(frame);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_text(bytes.substr(0, size)).has_value()) << frame.index() << " " << size;
    }
  }
}

TEST(Frame, AKeyThatComesTwiceIsCorrupt) {
  // A Welcome {4: []}, and {4: [], 4: []}, by which a list could grow past its bound.
  const auto header = std::string{"\x02\x01"} + std::string(key::kHeaderBytes - 2, '\0');
  EXPECT_TRUE(decode_text(header + "\xa1\x04\x80").has_value());
  const auto twice = decode_text(header + "\xa2\x04\x80\x04\x80");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code(), Code::Corrupt);
}

TEST(Frame, AFlippedBitInABlockIsCorrupt) {
  auto bytes = encode(one_of_each()[4]);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const auto message = decode_text(bytes);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().code(), Code::Corrupt);
}

TEST(Frame, ImpossibleNumbersAreCorrupt) {
  const Data good{.stream = 4, .epoch = 2, .from = 5, .to = 9, .rows = 5, .block = "b"};
  const auto refused = [&](auto change) {
    Data bad = good;
    change(bad);
    return !decode_text(encode(bad)).has_value();
  };
  EXPECT_FALSE(refused([](Data&) {}));
  EXPECT_TRUE(refused([](Data& data) { data.stream = 0; }));
  EXPECT_TRUE(refused([](Data& data) { data.epoch = 0; }));
  EXPECT_TRUE(refused([](Data& data) { data.from = 0; }));
  EXPECT_TRUE(refused([](Data& data) { data.to = 4; }));
  EXPECT_TRUE(refused([](Data& data) { data.rows = 0; }));
  EXPECT_TRUE(refused([](Data& data) { data.rows = 6; }));
  EXPECT_FALSE(decode_text(encode(Ack{{4, 2, {{5, 9}, {9, 12}}}})).has_value());
}

TEST(Frame, UnknownKindsAndFlagsAreUnsupported) {
  auto kind = encode(Nack{4, 2, 10});
  kind[0] = 9;
  EXPECT_EQ(decode_text(kind).error().code(), Code::Unsupported);
  auto flags = encode(Nack{4, 2, 10});
  flags[2] = 4;
  EXPECT_EQ(decode_text(flags).error().code(), Code::Unsupported);
}

TEST(Frame, ACompressedMessageMayNotGrowPastTheLimit) {
  const Data data{.stream = 4,
                  .epoch = 2,
                  .from = 5,
                  .to = 9,
                  .rows = 5,
                  .block = std::string(kMaxMessage + 1, 'x')};
  const auto bytes = encode(data);
  ASSERT_LT(bytes.size(), std::size_t{64} << 10);
  EXPECT_EQ(decode_text(bytes).error().code(), Code::Corrupt);
}

TEST(Frame, AGatewayIsWrittenAsAUuid) {
  EXPECT_EQ(to_string(gateway(0xab)), "abababab-abab-abab-abab-abababababab");
}

}  // namespace
}  // namespace infiniedge::sync
