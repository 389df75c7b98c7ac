// SPDX-License-Identifier: Apache-2.0
#include "store/query.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "runtime/clock.hpp"
#include "runtime/testing/run.hpp"
#include "store/testing/g1.hpp"
#include "store/testing/shelf.hpp"

namespace infiniedge::store {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::G1;
using testing::Shelf;

constexpr char kLibrary[] = INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so";

class QueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kLibrary)) GTEST_SKIP() << "DuckDB is absent; run scripts/setup";
    static int number = 0;
    dir_ = fs::temp_directory_path() / fmt::format("query_test.{}.{}", getpid(), ++number);
    duckdb_ = std::make_unique<DuckDb>(DuckDatabase::Options{.dir = dir_.string()}, kLibrary);
    sealer_ = std::make_unique<ParquetSealer>(*duckdb_);
    shelf_ = std::make_unique<Shelf>(dir_.string());
    Query::Environment environment{.executor = context_.get_executor(),
                                   .duckdb = duckdb_.get(),
                                   .workers = &workers_,
                                   .clock = &clock_,
                                   .snapshot = [this] { return shelf_->snapshot(); }};
    environment.system_names = {"rules"};
    environment.system_view = [](std::string_view) {
      return SystemView{{{"name", "VARCHAR"}, {"rows", "BIGINT"}},
                        {{"hot'", "5"}, {std::nullopt, std::nullopt}}};
    };
    query_ = std::make_unique<Query>(environment);
  }
  void TearDown() override {
    workers_.join();
    fs::remove_all(dir_);
  }

  /// G1 rows 1…rows: `sealed` of them in two files, the rest in memory.
  StreamId add_g1(std::size_t rows, std::size_t sealed, const std::string& name = "g1") {
    const auto stream = shelf_->add_stream(G1::schema(name));
    all_ = G1().next(G1::schema(name), rows);
    const std::size_t half = sealed / 2;
    if (half > 0) {
      EXPECT_TRUE(shelf_->seal(*sealer_, stream, record::slice(all_, 0, half)));
      EXPECT_TRUE(shelf_->seal(*sealer_, stream, record::slice(all_, half, sealed - half)));
    }
    if (rows > sealed) shelf_->remember(stream, record::slice(all_, sealed, rows - sealed));
    return stream;
  }

  Result<QueryResult> run(QueryRequest request) {
    diagnostics_.clear();
    return runtime::testing::run(context_, query_->run(std::move(request), &diagnostics_));
  }
  Result<QueryResult> run(std::string sql) { return run(QueryRequest{.sql = std::move(sql)}); }
  json::array rows(std::string sql) {
    auto result = run(sql);
    EXPECT_TRUE(result) << sql << "\n" << result.error().describe();
    return result ? json::parse(result->body).at("rows").as_array() : json::array();
  }
  std::string text(std::string sql) { return json::serialize(rows(std::move(sql))); }

  fs::path dir_;
  boost::asio::io_context context_;
  runtime::Workers workers_{"query", 2, 18};
  runtime::SystemClock clock_;
  std::unique_ptr<DuckDb> duckdb_;
  std::unique_ptr<ParquetSealer> sealer_;
  std::unique_ptr<Shelf> shelf_;
  std::unique_ptr<Query> query_;
  base::Diagnostics diagnostics_;
  Batch all_;
};

/// The same rows in SQLite, decimals as integers.
class Sqlite {
 public:
  explicit Sqlite(const Batch& rows) {
    sqlite3_open(":memory:", &db_);
    sqlite3_exec(db_, "CREATE TABLE g1(device TEXT, ts INT, seq INT, v0 INT); BEGIN", nullptr,
                 nullptr, nullptr);
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(db_, "INSERT INTO g1 VALUES (?,?,?,?)", -1, &insert, nullptr);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const std::string device(rows.device_of(i));
      sqlite3_bind_text(insert, 1, device.c_str(), -1, SQLITE_TRANSIENT);
      sqlite3_bind_int64(insert, 2, rows.ts[i]);
      sqlite3_bind_int64(insert, 3, static_cast<std::int64_t>(rows.seq[i]));
      sqlite3_bind_int64(insert, 4, rows.columns[0].ints()[i]);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
  }
  ~Sqlite() { sqlite3_close(db_); }
  std::string text(const char* sql) {
    json::array out;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      json::array row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        if (sqlite3_column_type(statement, i) == SQLITE_INTEGER) {
          row.emplace_back(sqlite3_column_int64(statement, i));
        } else {
          row.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, i)));
        }
      }
      out.push_back(std::move(row));
    }
    sqlite3_finalize(statement);
    return json::serialize(out);
  }

 private:
  sqlite3* db_ = nullptr;
};

TEST_F(QueryTest, MemoryAndSegmentsTogetherAnswerAsSqliteDoes) {
  add_g1(60'000, 40'000);
  Sqlite sqlite(all_);
  EXPECT_EQ(text("SELECT device, epoch_us(ts) // 3600000000 AS h, CAST(sum(v0) * 100 AS BIGINT), "
                 "CAST(min(v0) * 100 AS BIGINT), CAST(max(v0) * 100 AS BIGINT), count(*) FROM g1 "
                 "GROUP BY ALL ORDER BY ALL"),
            sqlite.text("SELECT device, ts / 3600000000 AS h, sum(v0), min(v0), max(v0), count(*) "
                        "FROM g1 GROUP BY 1, 2 ORDER BY 1, 2, 3"));
  EXPECT_EQ(
      text("SELECT device, _seq, CAST(v0 * 100 AS BIGINT) FROM g1 WHERE device = 'device-7' AND "
           "ts >= '2026-01-01 00:06:00' AND ts < '2026-01-01 00:08:00' ORDER BY _seq"),
      sqlite.text("SELECT device, seq, v0 FROM g1 WHERE device = 'device-7' AND ts >= "
                  "1767225960000000 AND ts < 1767226080000000 ORDER BY seq"));
  EXPECT_EQ(text("SELECT count(*), count(DISTINCT _seq), min(_seq), max(_seq) FROM g1"),
            "[[60000,60000,1,60000]]");
}

TEST_F(QueryTest, TheConsolesQueryWorks) {
  const auto stream = shelf_->add_stream(G1::schema("plug_1"));
  shelf_->remember(stream, G1().next(G1::schema("plug_1"), 1'000));
  const auto got = rows(
      "SELECT time_bucket(INTERVAL '5 seconds', ts) AS t, avg(\"v0\"), min(\"v0\"), max(\"v0\") "
      "FROM "
      "\"plug_1\" WHERE device = 'device-1' AND ts >= TIMESTAMP '2026-01-01 00:00:05' GROUP BY 1 "
      "ORDER BY 1");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].at(0).as_string(), "2026-01-01T00:00:05Z");
  EXPECT_TRUE(got[0].at(1).is_double());
  EXPECT_EQ(text("SELECT count(*) FROM \"plug-1\""), "[[1000]]");
}

TEST_F(QueryTest, ValuesKeepTheirDigits) {
  shelf_->add_stream(G1::schema());
  const auto result =
      run("SELECT CAST(-0.05 AS DECIMAL(9,2)) AS d, 12345678901234567890123456789.5::DECIMAL(38,1) "
          "AS w, "
          "TIMESTAMP '1969-12-31 23:59:59.25' AS t, DATE '2026-02-28' AS day, 'a\"\n' AS s, "
          "'xyz'::BLOB AS b, "
          "NULL AS n, 'nan'::DOUBLE AS f, 0.1::DOUBLE AS g, [1, NULL] AS l, {'k': 1.50} AS o, "
          "MAP {'a': 1} AS m, 170141183460469231731687303715884105727::HUGEINT AS h, true AS yes, "
          "INTERVAL '1 day 2 seconds' AS i, '550e8400-e29b-41d4-a716-446655440000'::UUID AS u");
  ASSERT_TRUE(result) << result.error().describe();
  const auto begin = result->body.find("\"rows\":") + 7;
  EXPECT_EQ(
      result->body.substr(begin, result->body.find(",\"row_count\"") - begin),
      "[[-0.05,12345678901234567890123456789.5,\"1969-12-31T23:59:59.25Z\",\"2026-02-28\","
      "\"a\\\"\\n\",\"eHl6\",null,null,0.1,[1,null],{\"k\":1.50},[{\"key\":\"a\",\"value\":1}],"
      "170141183460469231731687303715884105727,true,\"P1DT2S\","
      "\"550e8400-e29b-41d4-a716-446655440000\"]]");
  EXPECT_EQ(result->columns[0].type, "decimal(9,2)");
  EXPECT_EQ(result->columns[2].type, "timestamp");
}

TEST_F(QueryTest, CsvAndNdjsonAreWritten) {
  QueryRequest request{.sql = "SELECT 1 AS a, 'x,\"y' AS b, NULL AS c",
                       .format = ResultFormat::Csv};
  EXPECT_EQ(run(request)->body, "a,b,c\r\n1,\"x,\"\"y\",\r\n");
  request.format = ResultFormat::Ndjson;
  EXPECT_EQ(run(request)->body, "{\"a\":1,\"b\":\"x,\\\"y\",\"c\":null}\n");
}

TEST_F(QueryTest, RowsPastTheLimitAreCutAndSaidSo) {
  const auto result = run(QueryRequest{.sql = "SELECT * FROM range(100000)", .max_rows = 3000});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->rows, 3000U);
  EXPECT_TRUE(result->truncated);
}

TEST_F(QueryTest, ParametersBindByPositionAndByName) {
  auto result =
      run(QueryRequest{.sql = "SELECT $1 + 1, $2",
                       .params = {{.value = std::int64_t{41}}, {.value = std::string("x")}}});
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_NE(result->body.find("[[42,\"x\"]]"), std::string::npos) << result->body;
  result = run(QueryRequest{.sql = "SELECT $who", .params = {{.name = "who", .value = 1.5}}});
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(run(QueryRequest{.sql = "SELECT $1"}).error().code(), Code::Invalid);
}

TEST_F(QueryTest, ErrorsHaveAPlaceAndASuggestion) {
  add_g1(100, 0);
  ASSERT_FALSE(run("SELECT device,\n  v9 FROM g1"));
  ASSERT_EQ(diagnostics_.size(), 1U);
  EXPECT_EQ(diagnostics_[0].line, 2);
  EXPECT_EQ(diagnostics_[0].column, 3);
  EXPECT_FALSE(diagnostics_[0].suggestion.empty());
  const auto result = run("SELECT * FROM g2");
  EXPECT_EQ(result.error().code(), Code::Invalid);
  EXPECT_EQ(diagnostics_[0].suggestion, "g1");
  const std::string text =
      "SELECT v0 FROM g1 WHERE v1 > 0 AND v2 > 0 AND v3 > 0 AND v4 > 0 AND v0 > 0 AND v1 > 1 AND "
      "nosuch = 3 AND v4 > 4 AND v4 < 8 AND v3 > 1";
  ASSERT_FALSE(run(text));
  EXPECT_EQ(diagnostics_[0].column, static_cast<int>(text.find("nosuch")) + 1);
  EXPECT_EQ(run("SELECT 1/0::DECIMAL, CAST('x' AS INT)").error().code(), Code::Invalid);
}

TEST_F(QueryTest, SystemViewsShowWhatIsThere) {
  add_g1(1'000, 500);
  shelf_->edit().gaps.push_back({.stream = 1, .epoch = 1, .from_seq = 5, .to_seq = 9, .rows = 5});
  EXPECT_EQ(text("SELECT name, last_seq, lane FROM streams"), "[[\"g1\",1000,\"normal\"]]");
  EXPECT_EQ(text("SELECT sum(rows), min(streams) FROM segments"), "[[500,\"g1\"]]");
  EXPECT_EQ(text("SELECT stream, from_seq, reason, from_ts FROM gaps"),
            "[[\"g1\",5,\"corrupt\",null]]");
  EXPECT_EQ(text("SELECT * FROM rules"), "[[\"hot'\",5],[null,null]]");
  shelf_->edit().gaps.clear();
  EXPECT_EQ(text("SELECT * FROM gaps"), "[]");
}

TEST_F(QueryTest, AStreamWithoutRowsHasItsColumns) {
  shelf_->add_stream(G1::schema("idle"));
  const auto result = run("SELECT * FROM idle");
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(result->rows, 0U);
  ASSERT_EQ(result->columns.size(), 9U);
  EXPECT_EQ(result->columns[4].type, "decimal(9,2)");
}

TEST_F(QueryTest, OlderTablesAreCastToTheNewestShape) {
  add_g1(2'000, 1'000);
  auto evolved = std::make_shared<Schema>(*G1::schema());
  evolved->version = 2;
  evolved->fields[0].resolution = Resolution{1, 3};
  evolved->fields.push_back({.id = 40, .name = "extra", .type = Type::String});
  auto& info = shelf_->edit().streams[0];
  info.schema = evolved;
  TableView table;
  table.info = {.id = 2, .schema = evolved};
  shelf_->edit().tables.push_back(table);
  const auto result = run("SELECT v0, extra FROM g1 WHERE _seq IN (1, 2000)");
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(result->rows, 2U);
  EXPECT_EQ(result->columns[0].type, "decimal(18,3)");
}

TEST_F(QueryTest, OnAHubTheGatewayTellsRowsApart) {
  const auto local = add_g1(100, 50);
  auto& here = shelf_->edit();
  here.streams[local - 1].origin.fill(std::byte{0xAB});
  shelf_->table_of(local).segments.clear();  // Sealed under another name.
  EXPECT_EQ(text("SELECT DISTINCT _epoch, _gateway FROM g1"),
            "[[1,\"abababab-abab-abab-abab-abababababab\"]]");
}

TEST_F(QueryTest, ADeadlineInterruptsTheStatement) {
  const auto begin = std::chrono::steady_clock::now();
  for (const char* sql : {"SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3",
                          "SELECT * FROM range(1000000000000) t(i) WHERE i % 100000000000 = 77"}) {
    const auto result = run(QueryRequest{.sql = sql, .timeout = Millis{200}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::Timeout) << result.error().describe();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(text("SELECT 1"), "[[1]]");
}

TEST_F(QueryTest, AStatementThatIsGivenUpLeavesNoTaskBehind) {
  auto database = duckdb_->database();
  ASSERT_TRUE(database) << database.error().describe();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    auto connection = DuckConnection::open(*database);
    ASSERT_TRUE(connection);
    int asked = 0;
    auto rows = connection->select("SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3",
                                   {}, [&]() -> Result<void> {
                                     if (++asked > 20) return Error{Code::Timeout, "enough"};
                                     return {};
                                   });
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), Code::Timeout);
    EXPECT_TRUE(connection->execute("SELECT 1")) << "waits for the tasks of the last statement";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(QueryTest, ACancelledCallerStopsTheStatement) {
  boost::asio::cancellation_signal signal;
  std::optional<Result<QueryResult>> result;
  boost::asio::steady_timer timer(context_, std::chrono::milliseconds(100));
  timer.async_wait([&](auto) { signal.emit(boost::asio::cancellation_type::terminal); });
  const auto begin = std::chrono::steady_clock::now();
  boost::asio::co_spawn(
      context_, query_->run(QueryRequest{.sql = "SELECT count(*) FROM range(10000000000000)"}),
      boost::asio::bind_cancellation_slot(signal.slot(),
                                          [&](std::exception_ptr unwound, Result<QueryResult> r) {
                                            // Between two steps a cancelled coroutine is unwound
                                            // rather than answered.
                                            result = std::move(r);
                                            if (unwound) result = Error{Code::Cancelled, "unwound"};
                                          }));
  context_.restart();
  context_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code(), Code::Cancelled) << result->error().describe();
}

TEST_F(QueryTest, TheNineteenthQueryIsTurnedAway) {
  std::vector<Code> codes;
  for (int i = 0; i < 19; ++i) {
    boost::asio::co_spawn(context_,
                          query_->run(QueryRequest{.sql = "SELECT count(*) FROM range(10000000)"}),
                          [&](std::exception_ptr, Result<QueryResult> result) {
                            if (!result) codes.push_back(result.error().code());
                          });
  }
  context_.restart();
  context_.run();
  EXPECT_EQ(codes, std::vector<Code>{Code::Exhausted});
}

TEST_F(QueryTest, TheGateDecides) {
  add_g1(10, 0);
  QueryRequest request{.sql = "SELECT * FROM g1, streams"};
  request.permit = [](const std::vector<StreamInfo>& streams) -> Result<void> {
    EXPECT_EQ(streams.size(), 1U);
    return Error{Code::Denied, "stream " + streams[0].schema->stream + " may not be shown"};
  };
  EXPECT_EQ(run(request).error().code(), Code::Denied);
}

TEST_F(QueryTest, ReadAfterWaitsUntilTheRowIsVisible) {
  add_g1(10, 0);
  QueryRequest request{.sql = "SELECT max(_seq) FROM g1", .read_after = "1:1:10"};
  EXPECT_TRUE(run(request));
  request.timeout = Millis{50};
  request.read_after = "g1:1:11";
  EXPECT_EQ(run(request).error().code(), Code::Timeout);
  request.read_after = "g1:1";
  EXPECT_EQ(run(request).error().code(), Code::Invalid);
  request.read_after = "nosuch:1:1";
  EXPECT_EQ(run(request).error().code(), Code::NotFound);
}

TEST_F(QueryTest, ASegmentOutsideTheTimeRangeIsNotOpened) {
  add_g1(20'000, 20'000);
  const SegmentPtr second = shelf_->table_of(1).segments[1];
  fs::remove(shelf_->path(*second));
  EXPECT_EQ(text("SELECT count(*) FROM g1 WHERE ts < '2026-01-01 00:01:00'"), "[[6000]]");
  EXPECT_FALSE(run("SELECT count(*) FROM g1"));
}

TEST_F(QueryTest, SealingAndQueryingGoOnTogether) {
  const auto stream = add_g1(50'000, 0);
  std::atomic<bool> done{false};
  std::thread sealing([&] {
    for (int i = 0; i < 5; ++i) {
      SealJob job{
          .epoch = 1, .table = shelf_->table_of(stream).info, .streams = shelf_->edit().streams};
      job.chunks = shelf_->table_of(stream).chunks;
      EXPECT_TRUE(sealer_->write(job, fmt::format("{}/seg/.tmp/{}.parquet", dir_.string(), i)));
    }
    done = true;
  });
  int queries = 0;
  do {
    EXPECT_EQ(text("SELECT count(*) FROM g1"), "[[50000]]");
    ++queries;
  } while (!done);
  sealing.join();
  EXPECT_GT(queries, 0);
}

}  // namespace
}  // namespace infiniedge::store
