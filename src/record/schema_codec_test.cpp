// SPDX-License-Identifier: Apache-2.0
#include "record/schema_codec.hpp"

#include <gtest/gtest.h>

#include "record/cbor.hpp"
#include "record/testing/random_batch.hpp"

namespace infiniedge::record {
namespace {

StreamDefinition stream() {
  StreamDefinition stream{.id = 70'000, .schema = *testing::every_type("boiler")};
  stream.schema.version = 300;
  stream.origin[3] = std::byte{9};
  stream.policy = {.lane = Lane::Bulk,
                   .keep = Micros{86'400'000'000},
                   .label = static_cast<LabelId>(4),
                   .uplinks = {"plant-hub", "spare"}};
  return stream;
}

TEST(SchemaCodec, DefinitionsComeBackAsTheyWere) {
  const Definition definitions[] = {stream(), StreamDefinition{.id = 1, .schema = {.stream = "s"}},
                                    DeviceDefinition{.id = 4'000'000'000, .name = "Pumpe-ä"},
                                    LabelDefinition{.id = static_cast<LabelId>(9),
                                                    .label = {.jurisdictions = ~0ull,
                                                              .data_class = DataClass::Public,
                                                              .purposes = 1ull << 63,
                                                              .retention = Seconds{5},
                                                              .subjects = 3}}};
  for (const Definition& definition : definitions) {
    const std::string bytes = encode_definition(definition);
    auto back = decode_definition(base::as_bytes(bytes));
    ASSERT_TRUE(back) << back.error().describe();
    EXPECT_EQ(*back, definition);
  }
}

TEST(SchemaCodec, GapsComeBackAsTheyWere) {
  const Gap gap{.stream = 3,
                .epoch = 2,
                .from_seq = 10,
                .to_seq = 1ull << 40,
                .from_ts = -5,
                .to_ts = 99,
                .rows = 12,
                .reason = GapReason::Evicted,
                .replaced_by = "s__1m"};
  const std::string bytes = encode_gap(gap);
  auto back = decode_gap(base::as_bytes(bytes));
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(*back, gap);
}

TEST(SchemaCodec, EveryTruncationIsCorrupt) {
  const std::string bytes = encode_definition(stream());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    auto back = decode_definition(base::as_bytes(bytes).first(length));
    ASSERT_FALSE(back) << length;
    ASSERT_EQ(back.error().code(), Code::Corrupt);
  }
}

TEST(SchemaCodec, UnknownKeysAreSkipped) {
  CborWriter writer;
  writer.map(4);
  for (const int key : {0, 1}) {
    writer.u64(static_cast<std::uint64_t>(key));
    writer.u64(2);
  }
  writer.u64(99);
  writer.array(2);
  writer.text("new");
  writer.map(1);
  writer.u64(1);
  writer.number(2.5);
  writer.u64(2);
  writer.text("pump");
  const std::string bytes = writer.take();
  auto back = decode_definition(base::as_bytes(bytes));
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(*back, Definition(DeviceDefinition{.id = 2, .name = "pump"}));
}

TEST(SchemaCodec, HugeCountsAllocateNothing) {
  // A map that claims 2^60 entries, and one whose array of fields does.
  const std::string map("\xbb\x10\0\0\0\0\0\0\0", 9);
  EXPECT_EQ(decode_definition(base::as_bytes(map)).error().code(), Code::Corrupt);
  const std::string fields("\xa3\x00\x01\x01\x01\x06\x9b\x10\0\0\0\0\0\0\0", 15);
  EXPECT_EQ(decode_definition(base::as_bytes(fields)).error().code(), Code::Corrupt);
}

}  // namespace
}  // namespace infiniedge::record
