// SPDX-License-Identifier: Apache-2.0
// The whole store on a real disk: log, memory, Parquet, catalogue, SQL, retention.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <filesystem>

#include "runtime/clock.hpp"
#include "runtime/testing/run.hpp"
#include "store/ieb.hpp"
#include "store/query.hpp"
#include "store/retention.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"
#include "store/testing/g1.hpp"

namespace infiniedge::store {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::G1;

constexpr char kLibrary[] = INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so";

class SqlStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kLibrary)) GTEST_SKIP() << "DuckDB is absent; run scripts/setup";
    static int number = 0;
    dir_ = fs::temp_directory_path() / fmt::format("sql_store_test.{}.{}", getpid(), ++number);
    options_.dir = dir_.string();
    options_.log_file_bytes = std::uint64_t{4} << 20;
    start();
  }
  void TearDown() override {
    if (store_) stop();
    fs::remove_all(dir_);
  }

  void start() {
    duckdb_ = std::make_unique<DuckDb>(DuckDatabase::Options{.dir = dir_.string()}, kLibrary);
    sealer_ = std::make_unique<ParquetSealer>(*duckdb_);
    reader_ = std::make_unique<ParquetReader>(*duckdb_);
    Store::Environment environment{.executor = context_.get_executor(),
                                   .disk = disk_.get(),
                                   .clock = &clock_,
                                   .entropy = &entropy_,
                                   .metrics = &metrics_,
                                   .disk_worker = &disk_worker_,
                                   .compute = &compute_,
                                   .sealer = sealer_.get(),
                                   .readers = {reader_.get()}};
    auto store = run(Store::open(environment, options_));
    ASSERT_TRUE(store) << store.error().describe();
    store_ = std::move(*store);
    query_ = std::make_unique<Query>(Query::Environment{
        .executor = context_.get_executor(),
        .duckdb = duckdb_.get(),
        .workers = &compute_,
        .clock = &clock_,
        .snapshot = [this] { return store_->snapshot(); },
        .load_ieb = [this](const Segment&, const std::string& path,
                           const TableInfo& table) { return load_ieb(*disk_, path, table); }});
  }
  void stop() {
    query_.reset();
    run(store_->close());
    store_.reset();
  }
  template <class T>
  T run(Task<T> task) {
    return runtime::testing::run(context_, std::move(task));
  }
  void run(Task<void> task) { runtime::testing::run(context_, std::move(task)); }

  StreamId declare(record::StreamPolicy policy = {}) {
    auto stream = run(store_->declare(G1::schema(), std::move(policy)));
    EXPECT_TRUE(stream) << stream.error().describe();
    return stream ? *stream : 0;
  }
  void append(std::size_t rows) {
    Batch batch = generator_.next(G1::schema(), rows);
    batch.seq.clear();
    auto appended = run(store_->append(std::move(batch)));
    EXPECT_TRUE(appended) << appended.error().describe();
  }
  void seal() {
    const auto sealed = run(store_->seal());
    EXPECT_TRUE(sealed) << sealed.error().describe();
  }
  std::string text(const std::string& sql) {
    auto result = run(query_->run(QueryRequest{.sql = sql}));
    EXPECT_TRUE(result) << result.error().describe();
    return result ? json::serialize(json::parse(result->body).at("rows")) : "";
  }
  /// `_seq` of all rows that the outbox gives.
  std::uint64_t drain(StreamId stream) {
    std::uint64_t after = 0;
    for (;;) {
      auto items = run(store_->read_outbox(stream, store_->epoch(), after, 5'000, 1 << 20));
      EXPECT_TRUE(items) << items.error().describe();
      if (!items || items->empty()) return after;
      for (const OutboxItem& item : *items) {
        EXPECT_EQ(item.from, after + 1);
        EXPECT_FALSE(item.gap);
        EXPECT_EQ(item.rows.rows(), item.to - item.from + 1);
        after = item.to;
      }
    }
  }

  fs::path dir_;
  Store::Options options_;
  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Metrics metrics_;
  runtime::Workers disk_worker_{"disk", 1};
  runtime::Workers compute_{"compute", 2};
  std::unique_ptr<runtime::Disk> disk_ = runtime::make_posix_disk();
  std::unique_ptr<DuckDb> duckdb_;
  std::unique_ptr<ParquetSealer> sealer_;
  std::unique_ptr<ParquetReader> reader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Query> query_;
  G1 generator_;
};

TEST_F(SqlStoreTest, RowsAreTheSameInMemoryInParquetAndAfterARestart) {
  declare();
  append(30'000);
  const char* sql = "SELECT count(*), min(_seq), max(_seq), sum(v0), sum(v4), min(ts) FROM g1";
  const std::string before = text(sql);
  seal();
  EXPECT_EQ(text(sql), before);
  ASSERT_EQ(store_->snapshot()->tables.at(0).segments.size(), 1U);
  EXPECT_TRUE(store_->snapshot()->tables[0].segments[0]->file.ends_with(".parquet"));
  append(1'000);
  EXPECT_EQ(text("SELECT count(*), count(DISTINCT _seq) FROM g1"), "[[31000,31000]]");
  stop();
  start();
  EXPECT_EQ(text("SELECT count(*), count(DISTINCT _seq) FROM g1"), "[[31000,31000]]");
  EXPECT_EQ(text("SELECT sum(rows) FROM segments"), "[[30000]]");
}

TEST_F(SqlStoreTest, TheOutboxGoesOnFromParquet) {
  const auto stream = declare();
  append(20'000);
  seal();
  append(20'000);
  seal();
  append(500);
  EXPECT_EQ(drain(stream), 40'500U);
  stop();
  start();
  EXPECT_EQ(drain(stream), 40'500U);
}

TEST_F(SqlStoreTest, AFileThatNoTransactionNamesIsGoneAfterARestart) {
  declare();
  append(5'000);
  seal();
  append(100);
  const auto known = dir_ / store_->snapshot()->tables.at(0).segments.at(0)->file;
  stop();
  // What a kill leaves: half-written before the rename, or whole before the transaction.
  const auto half = dir_ / "seg/.tmp/0123456789abcdef.parquet";
  const auto whole = known.parent_path() / "00000000000000999999-0123456789abcdef.parquet";
  fs::copy_file(known, half);
  fs::resize_file(half, fs::file_size(half) / 2);
  fs::copy_file(known, whole);
  start();
  EXPECT_FALSE(fs::exists(half));
  EXPECT_FALSE(fs::exists(whole));
  EXPECT_TRUE(fs::exists(known));
  EXPECT_EQ(text("SELECT count(*), count(DISTINCT _seq) FROM g1"), "[[5100,5100]]");
}

TEST_F(SqlStoreTest, SegmentsWithoutParquetAreQueriedToo) {
  declare();
  append(10'000);
  const std::string before = text("SELECT count(*), sum(v0), sum(_seq) FROM g1");
  stop();
  DuckDb nothing(DuckDatabase::Options{.dir = dir_.string()}, "/nonexistent/libduckdb.so");
  ParquetSealer without(nothing);
  sealer_.reset();
  {
    Store::Environment environment{.executor = context_.get_executor(),
                                   .disk = disk_.get(),
                                   .clock = &clock_,
                                   .entropy = &entropy_,
                                   .metrics = &metrics_,
                                   .disk_worker = &disk_worker_,
                                   .compute = &compute_,
                                   .sealer = &without};
    auto store = run(Store::open(environment, options_));
    ASSERT_TRUE(store) << store.error().describe();
    store_ = std::move(*store);
    seal();
    EXPECT_TRUE(store_->snapshot()->tables.at(0).segments.at(0)->is_ieb());
    run(store_->close());
    store_.reset();
  }
  start();
  EXPECT_EQ(text("SELECT count(*), sum(v0), sum(_seq) FROM g1"), before);
}

TEST_F(SqlStoreTest, ExpiredFilesAreUnlinkedAndLossesShown) {
  declare({.keep = std::chrono::hours{1}, .uplinks = {"hub"}});
  append(5'000);
  seal();
  const std::string file =
      dir_.string() + "/" + store_->snapshot()->tables.at(0).segments.at(0)->file;
  ASSERT_TRUE(fs::exists(file));
  Retention retention({.store = store_.get(),
                       .duckdb = duckdb_.get(),
                       .clock = &clock_,
                       .workers = &compute_,
                       .metrics = &metrics_});
  const auto done = run(retention.pass());
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(text("SELECT count(*) FROM g1"), "[[0]]");
  EXPECT_EQ(text("SELECT stream, from_seq, to_seq, reason FROM gaps"),
            "[[\"g1\",1,5000,\"evicted\"]]");
  stop();
  start();
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(text("SELECT count(*) FROM gaps"), "[[1]]");
}

TEST_F(SqlStoreTest, BulkLeavesItsRollupWhenRoomIsShort) {
  stop();
  options_.max_bytes = 200'000;
  start();
  declare({.lane = record::Lane::Bulk, .uplinks = {"hub"}});
  append(30'000);
  const std::string sum = text("SELECT count(*), CAST(sum(v0) AS DECIMAL(18, 2)) FROM g1");
  seal();
  Retention retention({.store = store_.get(),
                       .duckdb = duckdb_.get(),
                       .clock = &clock_,
                       .workers = &compute_,
                       .metrics = &metrics_});
  const auto done = run(retention.pass());
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(text("SELECT count(*) FROM g1"), "[[0]]");
  EXPECT_EQ(text("SELECT CAST(sum(_count) AS BIGINT), CAST(sum(v0_sum) AS DECIMAL(18, 2)) FROM "
                 "g1__1m"),
            sum);
  EXPECT_EQ(text("SELECT count(*) FROM g1__1m WHERE v0_min > v0_max OR v0_first IS NULL"), "[[0]]");
  EXPECT_EQ(text("SELECT reason, replaced_by FROM gaps"), "[[\"downsampled\",\"g1__1m\"]]");
}

}  // namespace
}  // namespace infiniedge::store
