// SPDX-License-Identifier: Apache-2.0
#include "store/retention.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace infiniedge::store {
namespace {

using record::Lane;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::int64_t kHour = 3'600'000'000;

/// Tables with one stream each, and segments of 100 MiB and 100 rows.
class RetentionTest : public ::testing::Test {
 protected:
  StreamId add(Lane lane, std::vector<std::string> uplinks, Micros keep = Micros{0},
               std::string name = "s") {
    const auto id = static_cast<StreamId>(snapshot_.streams.size() + 1);
    auto schema = std::make_shared<Schema>();
    schema->stream = std::move(name);
    StreamInfo stream{.id = id, .schema = schema, .table = id, .epoch = 1};
    stream.policy.uplinks = std::move(uplinks);
    snapshot_.streams.push_back(stream);
    TableView table;
    table.info = {.id = id, .schema = schema, .lane = lane, .keep = keep};
    snapshot_.tables.push_back(table);
    return id;
  }
  SegmentPtr segment(StreamId stream, std::int64_t max_ts) {
    auto out = std::make_shared<Segment>();
    auto& segments = snapshot_.tables[stream - 1].segments;
    const std::uint64_t from = segments.size() * 100 + 1;
    out->id = std::to_string(stream) + "." + std::to_string(segments.size());
    out->table = stream;
    out->bytes = 100 * kMiB;
    out->min_ts = max_ts - kHour;
    out->max_ts = max_ts;
    out->ranges = {{stream, 1, from, from + 99, 100}};
    segments.push_back(out);
    return out;
  }
  RetentionPlan plan(std::uint64_t limit, std::int64_t now = 1000 * kHour) {
    return plan_retention({.snapshot = &snapshot_,
                           .now = from_us(now),
                           .limit = limit,
                           .cursor = [this](std::string_view peer, StreamId stream) {
                             return Cursor{std::string(peer), stream, 1, hwm_[stream]};
                           }});
  }

  Snapshot snapshot_;
  std::map<StreamId, std::uint64_t> hwm_;
};

TEST_F(RetentionTest, NothingGoesWhileThereIsRoomAndTime) {
  segment(add(Lane::Bulk, {"hub"}), kHour);
  const auto result = plan(10'000 * kMiB);
  EXPECT_TRUE(result.evictions.empty());
  EXPECT_FALSE(result.refuse);
}

TEST_F(RetentionTest, ExpiredSegmentsGoAndUnsentRowsAreNamed) {
  const auto stream = add(Lane::Normal, {"hub"}, std::chrono::hours{10});
  const auto old = segment(stream, 980 * kHour);
  segment(stream, 995 * kHour);
  hwm_[stream] = 40;
  const auto result = plan(10'000 * kMiB);
  ASSERT_EQ(result.evictions.size(), 1U);
  EXPECT_EQ(result.evictions[0].segment, old);
  EXPECT_EQ(result.evictions[0].why, Evict::Expired);
  ASSERT_EQ(result.evictions[0].gaps.size(), 1U);
  EXPECT_EQ(result.evictions[0].gaps[0].from_seq, 41U);
  EXPECT_EQ(result.evictions[0].gaps[0].to_seq, 100U);
  EXPECT_EQ(result.evictions[0].gaps[0].rows, 60U);
}

TEST_F(RetentionTest, AnExpiredAlarmWaitsForItsAcknowledgement) {
  const auto stream = add(Lane::Alarm, {"hub"}, std::chrono::hours{10});
  segment(stream, kHour);
  EXPECT_TRUE(plan(10'000 * kMiB).evictions.empty());
  hwm_[stream] = 100;
  EXPECT_EQ(plan(10'000 * kMiB).evictions.size(), 1U);
}

TEST_F(RetentionTest, TheOrderIsAcknowledgedThenBulkThenLowestLaneAndOldest) {
  const auto high = add(Lane::High, {"hub"}), bulk = add(Lane::Bulk, {"hub"}),
             normal = add(Lane::Normal, {"hub"}), alarm = add(Lane::Alarm, {"hub"});
  segment(alarm, kHour);
  const auto sent = segment(high, 900 * kHour);
  const auto unsent = segment(high, 100 * kHour);
  const auto coarse = segment(bulk, 900 * kHour);
  const auto younger = segment(normal, 500 * kHour);
  const auto older = segment(normal, 400 * kHour);
  hwm_[high] = 100;
  // Room 100 MiB: everything but the alarm must go, and it alone fills the room.
  const auto result = plan(200 * kMiB);
  ASSERT_EQ(result.evictions.size(), 5U);
  EXPECT_EQ(result.evictions[0].segment, sent);
  EXPECT_EQ(result.evictions[0].why, Evict::Acknowledged);
  EXPECT_TRUE(result.evictions[0].gaps.empty());
  EXPECT_EQ(result.evictions[1].segment, coarse);
  EXPECT_EQ(result.evictions[1].why, Evict::Downsample);
  EXPECT_EQ(result.evictions[1].gaps[0].reason, record::GapReason::Downsampled);
  EXPECT_EQ(result.evictions[2].segment, older);
  EXPECT_EQ(result.evictions[3].segment, younger);
  EXPECT_EQ(result.evictions[4].segment, unsent);
  EXPECT_EQ(result.evictions[4].why, Evict::Lost);
  EXPECT_EQ(result.evictions[4].gaps[0].reason, record::GapReason::Evicted);
  EXPECT_EQ(result.refuse, Lane::High);
}

TEST_F(RetentionTest, EvictionStopsAsSoonAsThereIsRoom) {
  const auto stream = add(Lane::Normal, {"hub"});
  for (int i = 0; i < 10; ++i) segment(stream, (10 + i) * kHour);
  hwm_[stream] = 1000;
  // Room 1044 MiB: 1000 MiB is above 90 %; below 85 % are 8 segments.
  const auto result = plan(1300 * kMiB);
  EXPECT_EQ(result.evictions.size(), 2U);
  EXPECT_FALSE(result.refuse);
}

TEST_F(RetentionTest, WhatHasNoUplinkIsLostOnlyWhenTheQuotaSaysSo) {
  const auto stream = add(Lane::Normal, {}, std::chrono::hours{10});
  segment(stream, kHour);
  segment(stream, 999 * kHour);
  const auto expired = plan(10'000 * kMiB);
  ASSERT_EQ(expired.evictions.size(), 1U);
  EXPECT_TRUE(expired.evictions[0].gaps.empty());
  const auto full = plan(200 * kMiB);
  ASSERT_EQ(full.evictions.size(), 2U);
  EXPECT_EQ(full.evictions[1].why, Evict::Lost);
  EXPECT_EQ(full.evictions[1].gaps.size(), 1U);
}

}  // namespace
}  // namespace infiniedge::store
