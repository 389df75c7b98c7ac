// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "record/testing/random_batch.hpp"
#include "record/value.hpp"
#include "runtime/testing/run.hpp"
#include "store/testing/node.hpp"

namespace infiniedge::store {
namespace {

using runtime::testing::SimDisk;
using testing::numbered_rows;
using testing::SimNode;

constexpr record::StreamPolicy kPolicy{};

class StoreTest : public ::testing::Test {
 protected:
  SimNode node_;
};

TEST_F(StoreTest, AppendedRowsAreNumberedVisibleAndThereAfterARestart) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  const Appended first = node_.append("boiler", 0, 100);
  EXPECT_EQ(first.stream, id);
  EXPECT_EQ(first.first_seq, 1u);
  EXPECT_EQ(first.last_seq, 100u);
  EXPECT_EQ(node_.append("boiler", 100, 50).first_seq, 101u);
  EXPECT_EQ(node_.rows("boiler").size(), 150u);
  node_.stop();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 150u);
  EXPECT_EQ(node_.append("boiler", 150, 1).first_seq, 151u);
  EXPECT_EQ(node_.store().find("boiler")->id, id);
}

TEST_F(StoreTest, RowsOfEveryTypeComeBackAfterAKill) {
  node_.start();
  const SchemaPtr schema = record::testing::every_type();
  ASSERT_TRUE(node_.run(node_.store().declare(schema, kPolicy)));
  Batch batch = record::testing::random_batch(node_.entropy(), schema, 300);
  ASSERT_TRUE(node_.run(node_.store().append(batch)));
  node_.kill();
  node_.start();
  const auto snapshot = node_.store().snapshot();
  ASSERT_EQ(snapshot->tables.size(), 1u);
  ASSERT_EQ(snapshot->tables[0].chunks.size(), 1u);
  for (std::size_t i = 0; i < batch.rows(); ++i) batch.seq.push_back(i + 1);
  EXPECT_TRUE(record::same_rows(snapshot->tables[0].chunks[0]->rows, batch));
}

TEST_F(StoreTest, UndeclaredStreamIsNotFoundAndMisfitIsInvalid) {
  node_.start();
  auto missing = node_.run(node_.store().append(numbered_rows("nowhere", 0, 1)));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::NotFound);
  node_.declare("boiler");
  Batch bad = numbered_rows("boiler", 0, 2);
  bad.ts.pop_back();
  EXPECT_EQ(node_.run(node_.store().append(bad)).error().code(), Code::Invalid);
}

TEST_F(StoreTest, SecondProcessOnTheDirectoryIsTurnedAway) {
  node_.start();
  SimNode second(node_);
  auto opened = second.try_start();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::Exists);
}

TEST_F(StoreTest, AppendLargerThanAGroupKeepsItsNumbersTogether) {
  node_.start();
  node_.declare("boiler");
  const Appended large = node_.append("boiler", 0, 400'000);
  EXPECT_EQ(large.first_seq, 1u);
  EXPECT_EQ(large.last_seq, 400'000u);
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 400'000u);
}

TEST_F(StoreTest, EvolvedStreamKeepsItsOldRows) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 10);
  Schema wider = *testing::numbered_schema("boiler");
  wider.fields.push_back({.name = "extra", .type = Type::Float});
  auto id = node_.run(node_.store().declare(std::make_shared<const Schema>(wider), kPolicy));
  ASSERT_TRUE(id) << id.error().describe();
  node_.append("boiler", 10, 10);
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 20u);
  EXPECT_EQ(node_.store().find("boiler")->schema->version, 2);
  EXPECT_EQ(node_.store().snapshot()->tables.size(), 2u);
  wider.fields[0].type = Type::String;
  auto changed = node_.run(node_.store().declare(std::make_shared<const Schema>(wider), kPolicy));
  EXPECT_EQ(changed.error().code(), Code::Invalid);
}

TEST_F(StoreTest, SealedRowsLeaveMemoryAndLogAndStayReadable) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 20'000);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  const auto snapshot = node_.store().snapshot();
  EXPECT_TRUE(snapshot->tables[0].chunks.empty());
  ASSERT_EQ(snapshot->tables[0].segments.size(), 1u);
  const Segment& segment = *snapshot->tables[0].segments[0];
  EXPECT_EQ(segment.rows, 20'000u);
  ASSERT_EQ(segment.ranges.size(), 1u);
  EXPECT_EQ(segment.ranges[0].to, 20'000u);
  EXPECT_EQ(node_.rows("boiler").size(), 20'000u);
  node_.append("boiler", 20'000, 5);
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 20'005u);
  EXPECT_EQ(node_.store().usage().memory > 0, true);
  EXPECT_EQ(node_.append("boiler", 20'005, 1).first_seq, 20'006u);
}

TEST_F(StoreTest, MemoryBudgetSealsByItself) {
  node_.options().memtable_bytes = 1 << 20;
  node_.start();
  node_.declare("boiler");
  for (std::uint64_t i = 0; i < 40; ++i) node_.append("boiler", i * 2000, 2000);
  node_.settle();
  EXPECT_FALSE(node_.store().snapshot()->tables[0].segments.empty());
  EXPECT_LT(node_.store().usage().memory, std::size_t{3} << 20);
  EXPECT_EQ(node_.rows("boiler").size(), 80'000u);
}

TEST_F(StoreTest, OutboxGivesEachRowOnceInOrderFromSegmentsAndMemory) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  node_.append("boiler", 0, 9000);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  node_.append("boiler", 9000, 3000);
  std::uint64_t after = 0;
  while (true) {
    auto items = node_.run(node_.store().read_outbox(id, 1, after, 1000, 64 << 10));
    ASSERT_TRUE(items) << items.error().describe();
    if (items->empty()) break;
    for (const OutboxItem& item : *items) {
      ASSERT_EQ(item.from, after + 1);
      ASSERT_FALSE(item.gap);
      ASSERT_EQ(item.rows.rows(), item.to - item.from + 1);
      ASSERT_EQ(item.rows.columns[0].ints().front(), static_cast<std::int64_t>(after));
      after = item.to;
    }
  }
  EXPECT_EQ(after, 12'000u);
}

TEST_F(StoreTest, CursorsNeverGoBackAndSurviveARestart) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  node_.append("boiler", 0, 100);
  node_.store().advance_cursor({"hub", id, 1, 60});
  node_.store().advance_cursor({"hub", id, 1, 40});
  EXPECT_EQ(node_.store().cursor("hub", id).hwm, 60u);
  EXPECT_EQ(node_.store().backlog("hub", id).rows, 40u);
  EXPECT_EQ(node_.store().backlog("hub", id).oldest_ts, testing::numbered_ts(60));
  node_.stop();
  node_.start();
  EXPECT_EQ(node_.store().cursor("hub", id).hwm, 60u);
  EXPECT_EQ(node_.store().backlog("other", id).rows, 100u);
}

TEST_F(StoreTest, ListenerHearsOfDurableRowsUntilItsTokenGoes) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  std::vector<std::uint64_t> heard;
  auto token = node_.store().on_durable([&](StreamId stream, std::uint64_t last) {
    EXPECT_EQ(stream, id);
    heard.push_back(last);
  });
  node_.append("boiler", 0, 10);
  token.reset();
  node_.append("boiler", 10, 10);
  EXPECT_EQ(heard, (std::vector<std::uint64_t>{10}));
}

TEST_F(StoreTest, GapsAreListedAndSentInTheirPlace) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  node_.append("boiler", 0, 100);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  node_.append("boiler", 100, 10);
  const auto segment = node_.store().snapshot()->tables[0].segments[0];
  const record::Gap gap{.stream = id,
                        .epoch = 1,
                        .from_seq = 1,
                        .to_seq = 100,
                        .rows = 100,
                        .reason = record::GapReason::Evicted};
  ASSERT_TRUE(node_.run(node_.store().drop_segments({segment}, {gap})));
  for (int start = 0; start < 2; ++start) {
    auto items = node_.run(node_.store().read_outbox(id, 1, 0, 1000, 1 << 20));
    ASSERT_TRUE(items);
    ASSERT_EQ(items->size(), 2u);
    EXPECT_EQ((*items)[0].gap, gap);
    EXPECT_EQ((*items)[1].rows.rows(), 10u);
    node_.kill();
    node_.start();
  }
}

TEST_F(StoreTest, DroppedSegmentStaysOnDiskWhileASnapshotShowsIt) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 100);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  auto pinned = node_.store().snapshot();
  const std::string file = node_.options().dir + "/" + pinned->tables[0].segments[0]->file;
  ASSERT_TRUE(node_.run(node_.store().drop_segments({pinned->tables[0].segments[0]}, {})));
  EXPECT_TRUE(node_.disk().bytes(file));
  pinned.reset();
  node_.advance(Seconds{2});
  EXPECT_FALSE(node_.disk().bytes(file));
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.append("boiler", 0, 1).first_seq, 101u) << "numbers are never given twice";
}

TEST_F(StoreTest, MissingSegmentFileBecomesAGap) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 100);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  const std::string file =
      node_.options().dir + "/" + node_.store().snapshot()->tables[0].segments[0]->file;
  node_.stop();
  ASSERT_TRUE(node_.disk().unlink(file));
  node_.start();
  const auto snapshot = node_.store().snapshot();
  ASSERT_EQ(snapshot->gaps.size(), 1u);
  EXPECT_EQ(snapshot->gaps[0].to_seq, 100u);
  EXPECT_EQ(snapshot->gaps[0].reason, record::GapReason::Corrupt);
}

class HubTest : public StoreTest {
 protected:
  HubTest() { gateway_[0] = std::byte{5}; }
  StreamId declare() {
    auto id = node_.run(
        node_.store().declare_remote(gateway_, testing::numbered_schema("boiler"), kPolicy));
    EXPECT_TRUE(id) << id.error().describe();
    return *id;
  }
  Result<std::vector<Cover>> push(StreamId id, std::uint64_t from, std::uint64_t to) {
    RemoteBatch batch{.stream = id,
                      .epoch = 3,
                      .from = from,
                      .to = to,
                      .rows = numbered_rows("boiler", from, to - from + 1)};
    return node_.run(node_.store().append_remote(std::move(batch)));
  }
  record::GatewayId gateway_{};
};

TEST_F(HubTest, RowsComeInExactlyOnceWhateverIsRepeated) {
  node_.start();
  const StreamId id = declare();
  ASSERT_TRUE(push(id, 1, 10));
  ASSERT_TRUE(push(id, 5, 15));
  auto covers = push(id, 1, 15);
  ASSERT_TRUE(covers) << covers.error().describe();
  ASSERT_EQ(covers->size(), 1u);
  EXPECT_EQ((*covers)[0].to, 15u);
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.store().covered(id, 3).size(), 1u);
  ASSERT_TRUE(push(id, 12, 20));
  EXPECT_EQ(node_.rows("boiler", gateway_).size(), 20u);
}

TEST_F(HubTest, HolesStayOpenAndWithheldRowsAreCovered) {
  node_.start();
  const StreamId id = declare();
  ASSERT_TRUE(push(id, 1, 10));
  ASSERT_TRUE(push(id, 21, 30));
  EXPECT_EQ(node_.store().covered(id, 3).size(), 2u);
  RemoteBatch withheld{
      .stream = id, .epoch = 3, .from = 11, .to = 20, .rows = numbered_rows("boiler", 13, 2)};
  withheld.rows.seq = {13, 17};
  auto covers = node_.run(node_.store().append_remote(withheld));
  ASSERT_TRUE(covers) << covers.error().describe();
  ASSERT_EQ(covers->size(), 1u);
  EXPECT_EQ((*covers)[0].to, 30u);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.store().covered(id, 3).size(), 1u);
  EXPECT_EQ(node_.rows("boiler", gateway_).size(), 22u);
}

TEST_F(HubTest, ImpossibleRangesAreInvalid) {
  node_.start();
  const StreamId id = declare();
  EXPECT_EQ(push(id, 0, 4).error().code(), Code::Invalid);
  RemoteBatch batch{.stream = id, .epoch = 3, .from = 5, .to = 4};
  EXPECT_EQ(node_.run(node_.store().append_remote(batch)).error().code(), Code::Invalid);
  batch = {.stream = id, .epoch = 3, .from = 1, .to = 3, .rows = numbered_rows("boiler", 0, 2)};
  EXPECT_EQ(node_.run(node_.store().append_remote(batch)).error().code(), Code::Invalid);
  batch.rows.seq = {1, 9};
  EXPECT_EQ(node_.run(node_.store().append_remote(batch)).error().code(), Code::Invalid);
}

TEST_F(StoreTest, FullDiskRefusesAppendsReadsOnAndGoesOnOnceThereIsRoom) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  node_.append("boiler", 0, 10);
  node_.disk().fail_at(1, Code::Exhausted, true);
  auto refused = node_.run(node_.store().append(numbered_rows("boiler", 10, 10)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::Exhausted);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("/store is full"));
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("free space"));
  EXPECT_EQ(node_.store().health(), Health::Full);
  EXPECT_FALSE(node_.run(node_.store().seal()));
  EXPECT_EQ(node_.rows("boiler").size(), 10u);
  EXPECT_EQ(node_.run(node_.store().read_outbox(id, 1, 0, 100, 1 << 20))->size(), 1u);
  node_.disk().heal();
  EXPECT_EQ(node_.append("boiler", 10, 10).first_seq, 11u);
  EXPECT_EQ(node_.store().health(), Health::Good);
  EXPECT_TRUE(node_.run(node_.store().seal()));
  node_.append("boiler", 20, 1);
  node_.cut_power();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 21u);
}

TEST_F(StoreTest, FullDiskThatFillsMemoryTooLetsGoOnceThereIsRoom) {
  node_.options().memtable_bytes = 64 << 10;
  node_.start();
  node_.declare("boiler");
  node_.disk().fail_at(1, Code::Exhausted, true);  // Seals need room for a file, the log has it.
  std::uint64_t stored = 0;
  Result<Appended> appended = Error{Code::Internal, "none"};
  for (int i = 0; i < 100; ++i) {
    appended = node_.run(node_.store().append(numbered_rows("boiler", stored, 500)));
    if (appended) stored += 500;
  }
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), Code::Exhausted);
  node_.disk().heal();
  node_.advance(Seconds{120});
  node_.append("boiler", stored, 500);
  EXPECT_EQ(node_.rows("boiler").size(), stored + 500);
}

TEST_F(StoreTest, FailedSyncFailsTheStoreForGood) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 10);
  int told = 0;
  node_.store().on_failed([&](Error error) {
    EXPECT_EQ(error.code(), Code::Unavailable);
    ++told;
  });
  node_.disk().fail_at(2, Code::Unavailable);
  auto failed = node_.run(node_.store().append(numbered_rows("boiler", 10, 10)));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::Unavailable);
  EXPECT_THAT(failed.error().message(), ::testing::HasSubstr("/store failed"));
  EXPECT_THAT(failed.error().message(), ::testing::HasSubstr("restart"));
  EXPECT_EQ(node_.store().health(), Health::Failed);
  failed = node_.run(node_.store().append(numbered_rows("boiler", 10, 10)));
  EXPECT_EQ(failed.error().code(), Code::Unavailable);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(node_.rows("boiler").size(), 10u) << "rows not durable are not shown";
}

TEST_F(StoreTest, AfterAFailedSyncTheNextProcessHasExactlyWhatWasAcknowledged) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 10);
  node_.disk().fail_at(2, Code::Unavailable);
  ASSERT_FALSE(node_.run(node_.store().append(numbered_rows("boiler", 10, 10))));
  node_.disk().heal();
  // The cache still shows the group, though it will never reach the medium.
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 10u);
  EXPECT_EQ(node_.append("boiler", 10, 5).first_seq, 11u);
  node_.cut_power();
  node_.start();
  EXPECT_EQ(node_.rows("boiler").size(), 15u);
}

TEST_F(StoreTest, RefusedLanesGetExhausted) {
  node_.start();
  node_.declare("boiler");
  node_.store().refuse(record::Lane::Normal);
  auto refused = node_.run(node_.store().append(numbered_rows("boiler", 0, 1)));
  EXPECT_EQ(refused.error().code(), Code::Exhausted);
  node_.store().refuse(std::nullopt);
  EXPECT_TRUE(node_.run(node_.store().append(numbered_rows("boiler", 0, 1))));
}

TEST_F(StoreTest, NewEpochNumbersFromOneAndBothEpochsAreSent) {
  node_.start();
  const StreamId id = node_.declare("boiler");
  node_.append("boiler", 0, 10);
  ASSERT_TRUE(node_.run(node_.store().raise_epoch("test")));
  const Appended appended = node_.append("boiler", 10, 5);
  EXPECT_EQ(appended.epoch, 2u);
  EXPECT_EQ(appended.first_seq, 1u);
  node_.kill();
  node_.start();
  EXPECT_EQ(node_.store().epoch(), 2u);
  auto items = node_.run(node_.store().read_outbox(id, 1, 4, 1000, 1 << 20));
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ((*items)[0].to, 10u);
  EXPECT_EQ((*items)[1].epoch, 2u);
  EXPECT_EQ((*items)[1].to, 5u);
}

TEST_F(StoreTest, LostLogStartsANewEpoch) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 10);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  node_.stop();
  for (const std::string& file : node_.disk().files()) {
    if (file.find("/log/") != std::string::npos) ASSERT_TRUE(node_.disk().unlink(file));
  }
  node_.start();
  EXPECT_EQ(node_.store().epoch(), 2u);
  EXPECT_EQ(node_.rows("boiler").size(), 10u);
  EXPECT_EQ(node_.append("boiler", 10, 1).first_seq, 1u);
}

TEST_F(StoreTest, SegmentsWithoutTheirCatalogueAreNotThrownAway) {
  node_.start();
  node_.declare("boiler");
  node_.append("boiler", 0, 10);
  ASSERT_TRUE(node_.run(node_.store().seal()));
  node_.stop();
  node_.lose_catalogue();
  auto opened = node_.try_start();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::Corrupt);
}

TEST_F(StoreTest, ManyProducersShareGroups) {
  node_.start();
  node_.declare("boiler");
  const std::size_t before = node_.disk().operations();
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    boost::asio::co_spawn(node_.context(), node_.store().append(numbered_rows("boiler", 0, 2)),
                          [&](std::exception_ptr, Result<Appended> appended) {
                            EXPECT_TRUE(appended);
                            ++done;
                          });
  }
  node_.append("boiler", 0, 1);
  EXPECT_EQ(done, 50);
  EXPECT_LT(node_.disk().operations() - before, 30u) << "two operations a group";
}

TEST_F(StoreTest, PendingBytesHoldProducersBack) {
  node_.options().pending_bytes = 1;
  node_.start();
  node_.declare("boiler");
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(node_.context(), node_.store().append(numbered_rows("boiler", 0, 10)),
                          [&](std::exception_ptr, Result<Appended> appended) {
                            EXPECT_TRUE(appended);
                            ++done;
                          });
  }
  node_.settle();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(node_.rows("boiler").size(), 200u);
}

}  // namespace
}  // namespace infiniedge::store
