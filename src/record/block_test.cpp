// SPDX-License-Identifier: Apache-2.0
#include "record/block.hpp"

#include <gtest/gtest.h>

#include "record/device_table.hpp"
#include "record/testing/random_batch.hpp"
#include "record/value.hpp"

namespace infiniedge::record {
namespace {

using testing::every_type;
using testing::random_batch;

std::string encoded(const Batch& batch, DeviceIds& devices) {
  auto block = encode_block(batch, devices);
  EXPECT_TRUE(block) << block.error().describe();
  return block ? *block : std::string{};
}

TEST(Block, RandomBatchesComeBackAsTheyWere) {
  runtime::SeededEntropy entropy{1};
  const SchemaPtr schema = every_type();
  for (int round = 0; round < 300; ++round) {
    DeviceTable devices;
    const Batch batch = random_batch(entropy, schema, 1 + entropy.u64() % 300);
    const std::string block = encoded(batch, devices);
    auto back = decode_block(base::as_bytes(block), schema, devices);
    ASSERT_TRUE(back) << "round " << round << ": " << back.error().describe();
    ASSERT_TRUE(same_rows(batch, *back)) << "round " << round;
  }
}

TEST(Block, FullBlockOfTheLargestSizeComesBack) {
  runtime::SeededEntropy entropy{2};
  DeviceTable devices;
  const Batch batch = random_batch(entropy, every_type(), kMaxBlockRows);
  auto back = decode_block(base::as_bytes(encoded(batch, devices)), batch.schema, devices);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_TRUE(same_rows(batch, *back));
}

TEST(Block, EveryTruncationIsCorrupt) {
  runtime::SeededEntropy entropy{3};
  DeviceTable devices;
  const Batch batch = random_batch(entropy, every_type(), 40);
  const std::string block = encoded(batch, devices);
  for (std::size_t length = 0; length < block.size(); ++length) {
    auto back = decode_block(base::as_bytes(block).first(length), batch.schema, devices);
    ASSERT_FALSE(back) << length;
    ASSERT_EQ(back.error().code(), Code::Corrupt);
  }
}

TEST(Block, FlippedBitsNeverCrashAndNeverChangeTheShape) {
  runtime::SeededEntropy entropy{4};
  DeviceTable devices;
  const Batch batch = random_batch(entropy, every_type(), 25);
  const std::string block = encoded(batch, devices);
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    std::string flipped = block;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << (bit % 8));
    auto back = decode_block(base::as_bytes(flipped), batch.schema, devices);
    if (back) {
      ASSERT_TRUE(check(*back)) << bit;
    } else {
      ASSERT_EQ(back.error().code(), Code::Corrupt);
    }
  }
}

TEST(Block, SequenceNumbersStayOutWhenTheyAreContiguous) {
  runtime::SeededEntropy entropy{5};
  DeviceTable devices;
  Batch batch = random_batch(entropy, every_type(), 3);
  batch.seq = {7, 8, 9};
  auto back = decode_block(base::as_bytes(encoded(batch, devices)), batch.schema, devices);
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->seq.empty());
  batch.seq = {7, 8, 10};
  back = decode_block(base::as_bytes(encoded(batch, devices)), batch.schema, devices);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seq, batch.seq);
}

TEST(Block, FieldThatTheWriterDidNotHaveIsNull) {
  DeviceTable devices;
  Schema one{.stream = "s", .version = 1, .fields = {{.id = 16, .name = "a", .type = Type::Int}}};
  Schema two = one;
  two.fields.push_back({.id = 17, .name = "b", .type = Type::String});
  Batch batch = make_batch(std::make_shared<const Schema>(one));
  batch.devices = {"d"};
  batch.device = {0, 0};
  batch.ts = {1, 2};
  batch.quality = {Quality::Good, Quality::Good};
  batch.columns[0].ints() = {5, 6};
  auto back = decode_block(base::as_bytes(encoded(batch, devices)),
                           std::make_shared<const Schema>(two), devices);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(back->columns[0].ints(), (std::vector<std::int64_t>{5, 6}));
  EXPECT_TRUE(back->columns[1].is_null(0) && back->columns[1].is_null(1));
}

TEST(Block, ShortDictionaryEntryCannotFillTheMemory) {
  DeviceTable devices;
  Schema schema{
      .stream = "s", .version = 1, .fields = {{.id = 16, .name = "a", .type = Type::String}}};
  Batch batch = make_batch(std::make_shared<const Schema>(schema));
  batch.devices = {"d"};
  const std::string text(60'000, 'x');
  for (int row = 0; row < 100; ++row) {
    batch.device.push_back(0);
    batch.ts.push_back(row);
    batch.quality.push_back(Quality::Good);
    batch.columns[0].binary().push_back(text);
  }
  std::string block = encoded(batch, devices);
  EXPECT_LT(block.size(), 61'000u);
  // The same block claiming 1,000 rows would expand to 60 MB.
  for (int row = 100; row < 1000; ++row) {
    batch.device.push_back(0);
    batch.ts.push_back(row);
    batch.quality.push_back(Quality::Good);
    batch.columns[0].binary().push_back(text);
  }
  auto refused = encode_block(batch, devices);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::Invalid);
  const std::uint16_t rows = 1000;
  std::memcpy(block.data(), &rows, sizeof rows);
  auto back = decode_block(base::as_bytes(block), batch.schema, devices);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code(), Code::Corrupt);
}

TEST(Block, RowsOfG1CostAboutTwelveBytes) {
  testing::G1 workload;
  DeviceTable devices;
  std::size_t bytes = 0;
  for (int commit = 0; commit < 50; ++commit) bytes += encoded(workload.next(100), devices).size();
  EXPECT_LT(static_cast<double>(bytes) / 5000, 14.0);
}

TEST(Block, BatchThatDoesNotFitItsSchemaIsInvalid) {
  runtime::SeededEntropy entropy{6};
  DeviceTable devices;
  const Batch good = random_batch(entropy, every_type(), 3);
  Batch bad = good;
  bad.columns.pop_back();
  EXPECT_EQ(encode_block(bad, devices).error().code(), Code::Invalid);
  bad = good;
  bad.device[1] = 99;
  EXPECT_EQ(encode_block(bad, devices).error().code(), Code::Invalid);
  bad = good;
  bad.ts.push_back(1);
  EXPECT_EQ(encode_block(bad, devices).error().code(), Code::Invalid);
  bad = good;
  bad.columns[3] = Column{std::vector<std::int64_t>(3, 0)};
  EXPECT_EQ(encode_block(bad, devices).error().code(), Code::Invalid);
}

TEST(Value, SliceAndAppendGiveTheSameRowsAgain) {
  runtime::SeededEntropy entropy{7};
  const Batch batch = random_batch(entropy, every_type(), 50);
  Batch joined = slice(batch, 0, 13);
  append_rows(joined, slice(batch, 13, 37));
  EXPECT_TRUE(same_rows(batch, joined));
  ASSERT_TRUE(check(joined));
}

}  // namespace
}  // namespace infiniedge::record
