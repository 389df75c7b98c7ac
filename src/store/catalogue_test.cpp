// SPDX-License-Identifier: Apache-2.0
#include "store/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "record/value.hpp"
#include "store/sqlite.hpp"
#include "store/testing/node.hpp"

namespace infiniedge::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

SegmentPtr segment(const std::string& id) {
  return std::make_shared<const Segment>(Segment{.id = id,
                                                 .table = 3,
                                                 .file = "seg/3/e1/" + id + ".parquet",
                                                 .rows = 10,
                                                 .bytes = 4096,
                                                 .min_ts = -5,
                                                 .max_ts = 5,
                                                 .sha256 = "ab12",
                                                 .ranges = {{7, 1, 1, 10, 10}}});
}

SchemaPtr schema_with_ids(const std::string& stream) {
  Schema schema = *testing::numbered_schema(stream);
  schema.fields[0].id = 16;
  schema.version = 1;
  return std::make_shared<const Schema>(schema);
}

class CatalogueTest : public ::testing::Test {
 protected:
  CatalogueTest() {
    std::string pattern = (fs::temp_directory_path() / "infiniedge-catalogue-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~CatalogueTest() override { fs::remove_all(dir_); }

  std::string path() const { return dir_ + "/catalogue.db"; }
  std::unique_ptr<Catalogue> open() {
    auto opened = open_catalogue(path());
    EXPECT_TRUE(opened) << opened.error().describe();
    return opened ? std::move(*opened) : nullptr;
  }
  Error refused() {
    auto opened = open_catalogue(path());
    EXPECT_FALSE(opened);
    return opened ? Error{Code::Internal, "opened"} : opened.error();
  }
  void execute(const std::string& sql) {
    auto db = Sqlite::open(path());
    ASSERT_TRUE(db) << db.error().describe();
    ASSERT_TRUE(db->execute(sql));
  }

  std::string dir_;
};

TEST_F(CatalogueTest, NewOneIsEmpty) {
  auto state = open()->load();
  ASSERT_TRUE(state) << state.error().describe();
  EXPECT_EQ(state->gateway, record::GatewayId{});
  EXPECT_EQ(state->epoch, 0u);
  EXPECT_TRUE(state->streams.empty());
  EXPECT_TRUE(state->segments.empty());
}

TEST_F(CatalogueTest, WhatIsAppliedIsThereForTheNextProcess) {
  CatalogueChange change{.epoch = 2, .durable_lsn = std::uint64_t{1} << 40};
  change.gateway[0] = std::byte{9};
  change.streams = {{.id = 7,
                     .schema = schema_with_ids("boiler"),
                     .policy = {.lane = record::Lane::Alarm},
                     .table = 3,
                     .epoch = 2,
                     .last_seq = 10}};
  change.tables = {{.id = 3, .schema = schema_with_ids(""), .lane = record::Lane::Alarm}};
  change.devices = {{1, "boiler-1"}};
  change.add_segments = {segment("a"), segment("b")};
  change.sealed_lsn = {{3, 8192}};
  change.gaps = {{.stream = 7,
                  .epoch = 1,
                  .from_seq = 4,
                  .to_seq = 6,
                  .rows = 3,
                  .reason = record::GapReason::Evicted}};
  change.cursors = {{"hub", 7, 1, 9}};
  change.covers = {{8, 1, 1, 5}, {8, 1, 9, 9}};
  ASSERT_TRUE(open()->apply(change));

  auto state = open()->load();
  ASSERT_TRUE(state) << state.error().describe();
  EXPECT_EQ(state->gateway, change.gateway);
  EXPECT_EQ(state->epoch, 2u);
  EXPECT_EQ(state->durable_lsn, std::uint64_t{1} << 40);
  ASSERT_EQ(state->streams.size(), 1u);
  EXPECT_EQ(*state->streams[0].schema, *change.streams[0].schema);
  EXPECT_EQ(state->streams[0].policy, change.streams[0].policy);
  EXPECT_EQ(state->streams[0].last_seq, 10u);
  EXPECT_EQ(state->schemas.size(), 1u);
  ASSERT_EQ(state->tables.size(), 1u);
  EXPECT_EQ(state->tables[0].lane, record::Lane::Alarm);
  EXPECT_EQ(state->sealed_lsn.at(3), 8192u);
  EXPECT_EQ(state->devices.at(1), "boiler-1");
  ASSERT_EQ(state->segments.size(), 2u);
  EXPECT_EQ(state->segments[0]->file, "seg/3/e1/a.parquet");
  EXPECT_EQ(state->segments[0]->min_ts, -5);
  ASSERT_EQ(state->segments[0]->ranges.size(), 1u);
  EXPECT_EQ(state->segments[0]->ranges[0].to, 10u);
  EXPECT_EQ(state->gaps, change.gaps);
  ASSERT_EQ(state->cursors.size(), 1u);
  EXPECT_EQ(state->cursors[0].hwm, 9u);
  EXPECT_EQ(state->covers.size(), 2u);
}

TEST_F(CatalogueTest, DroppedSegmentTakesItsRangesAndCoversAreReplaced) {
  auto catalogue = open();
  CatalogueChange change;
  change.add_segments = {segment("a"), segment("b")};
  change.covers = {{8, 1, 1, 5}, {8, 1, 9, 9}, {8, 2, 1, 1}};
  ASSERT_TRUE(catalogue->apply(change));
  CatalogueChange next;
  next.drop_segments = {"a"};
  next.covers = {{8, 1, 1, 9}};
  ASSERT_TRUE(catalogue->apply(next));
  auto state = catalogue->load();
  ASSERT_EQ(state->segments.size(), 1u);
  EXPECT_EQ(state->segments[0]->id, "b");
  ASSERT_EQ(state->covers.size(), 2u);
  EXPECT_EQ(state->covers[0].to, 9u);
  EXPECT_EQ(state->covers[1].epoch, 2u);
}

TEST_F(CatalogueTest, FailedChangeChangesNothing) {
  auto catalogue = open();
  execute("DROP TABLE cover");
  CatalogueChange change{.epoch = 5};
  change.add_segments = {segment("a")};
  change.covers = {{8, 1, 1, 5}};
  EXPECT_FALSE(catalogue->apply(change));
  catalogue = open();  // Makes the missing table again.
  auto state = catalogue->load();
  ASSERT_TRUE(state) << state.error().describe();
  EXPECT_EQ(state->epoch, 0u);
  EXPECT_TRUE(state->segments.empty());
  EXPECT_TRUE(catalogue->apply(change)) << "the failed transaction is not left open";
}

TEST_F(CatalogueTest, AnotherVersionIsLeftAloneAndNamed) {
  ASSERT_TRUE(open()->apply({.epoch = 4}));
  execute("PRAGMA user_version = 2");
  const Error error = refused();
  EXPECT_EQ(error.code(), Code::Unsupported);
  EXPECT_THAT(error.message(), HasSubstr(path() + " has format 2"));
  EXPECT_THAT(error.message(), HasSubstr("use that one"));
  execute("PRAGMA user_version = 1");
  EXPECT_EQ(open()->load()->epoch, 4u);
}

TEST_F(CatalogueTest, FileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path()) << std::string(8192, 'x');
  const Error error = refused();
  EXPECT_EQ(error.code(), Code::Corrupt);
  EXPECT_THAT(error.message(), HasSubstr(path()));
  EXPECT_THAT(error.message(), HasSubstr("backup"));
}

TEST_F(CatalogueTest, DamagedPagesAndDefinitionsAreCorruptNotBelieved) {
  {
    auto catalogue = open();
    CatalogueChange change;
    for (std::uint32_t id = 1; id < 2000; ++id) {
      change.devices.emplace_back(id, "device-" + std::to_string(id));
    }
    change.streams = {{.id = 7, .schema = schema_with_ids("boiler"), .table = 3}};
    ASSERT_TRUE(catalogue->apply(change));
  }
  fs::copy_file(path(), dir_ + "/sound.db");
  execute("UPDATE stream SET definition = x'a0'");
  EXPECT_EQ(open()->load().error().code(), Code::Corrupt);
  fs::copy_file(dir_ + "/sound.db", path(), fs::copy_options::overwrite_existing);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    for (std::uint64_t page = 2; page * 4096 < fs::file_size(path()); ++page) {
      file.seekp(static_cast<std::streamoff>(page * 4096));
      file << std::string(64, '\xff');
    }
  }
  auto opened = open_catalogue(path());
  auto state = opened ? (*opened)->load() : Result<CatalogueState>(opened.error());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::Corrupt);
  EXPECT_THAT(state.error().message(), HasSubstr("backup"));
}

TEST_F(CatalogueTest, SecondConnectionSeesWholeChangesAndWritesInTurn) {
  auto first = open();
  auto second = open();
  ASSERT_TRUE(first->apply({.epoch = 1}));
  EXPECT_EQ(second->load()->epoch, 1u);
  ASSERT_TRUE(second->apply({.epoch = 2}));
  ASSERT_TRUE(first->apply({.durable_lsn = 4096}));
  auto state = second->load();
  EXPECT_EQ(state->epoch, 2u);
  EXPECT_EQ(state->durable_lsn, 4096u);
}

}  // namespace
}  // namespace infiniedge::store
