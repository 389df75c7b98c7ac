// SPDX-License-Identifier: Apache-2.0
#include "store/guard.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace infiniedge::store {
namespace {

constexpr std::string_view kAttacks[] = {
    "INSERT INTO boiler VALUES (1)",
    "UPDATE boiler SET temp = 1",
    "DELETE FROM boiler",
    "DROP VIEW boiler",
    "CREATE TABLE t (a INT)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "COPY boiler TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.parquet'",
    "ATTACH '/tmp/x.db'",
    "DETACH memory",
    "PRAGMA database_list",
    "SET threads = 8",
    "RESET threads",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "CHECKPOINT",
    "BEGIN",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT * FROM boiler",
    "PREPARE p AS SELECT 1",
    "VACUUM",
    "USE memory",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW boiler",
    "SELECT * FROM read_parquet('/etc/x')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json_auto('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "FROM 'seg/1.parquet'",
    "SELECT * FROM \"seg/1.parquet\"",
    "WITH \"seg/1.parquet\" AS (SELECT * FROM \"seg/1.parquet\") SELECT * FROM \"seg/1.parquet\"",
    "WITH a AS (SELECT * FROM 'x.parquet') SELECT * FROM a",
    "WITH RECURSIVE r AS (SELECT * FROM r UNION ALL SELECT * FROM r) SELECT * FROM r",
    "SELECT (SELECT max(content) FROM read_text('/etc/passwd'))",
    "SELECT * FROM boiler WHERE temp IN (SELECT * FROM '/etc/passwd')",
    "SELECT * FROM boiler JOIN read_csv('/etc/passwd') x ON true",
    "SELECT * FROM boiler, LATERAL (SELECT * FROM glob('*'))",
    "SELECT 1 UNION ALL SELECT * FROM glob('*')",
    "SELECT 1 ORDER BY (SELECT count(*) FROM glob('*'))",
    "SELECT count(*) FILTER (WHERE EXISTS (FROM glob('*'))) FROM boiler",
    "SELECT * FROM (PIVOT (SELECT * FROM glob('*')) ON file USING count(*))",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('boiler')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM pragma_user_agent()",
    "SELECT * FROM ie_mem(1, 0, 9)",
    "SELECT * FROM parquet_metadata('seg/1.parquet')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM memory.main.boiler",
    "SELECT * FROM temp.boiler",
    "SELECT * FROM system.main.boiler",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT sum(length(getenv('PATH'))) OVER () FROM boiler",
    "SELECT write_log('x')",
    "SELECT json_serialize_plan('SELECT 1')",
    "SELECT nextval('s')",
    "SHOW TABLES",
    "DESCRIBE boiler",
    "SUMMARIZE boiler",
    "SELECT * FROM (DESCRIBE boiler)",
    "SELECT * FROM boiler AT (VERSION => 1)",
    "SELECT * FROM nosuch",
    "",
    "-- nothing",
    ";",
    "SELECT",
};

class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / ("guard_test." + std::to_string(getpid()));
    duckdb_ = std::make_unique<DuckDb>(DuckDatabase::Options{.dir = dir_.string()},
                                       INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so");
    if (!std::filesystem::exists(INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so")) {
      GTEST_SKIP() << "DuckDB is absent; run scripts/setup";
    }
    auto database = duckdb_->database();
    ASSERT_TRUE(database) << database.error().describe();
    auto connection = DuckConnection::open(*database);
    ASSERT_TRUE(connection);
    connection_ = std::make_unique<DuckConnection>(std::move(*connection));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  Result<GuardedQuery> check(std::string_view sql, std::vector<QueryParam> params = {}) {
    diagnostic_ = {};
    return guard(*connection_, sql, params, known_, diagnostic_);
  }
  TimeRange range(std::string_view sql, std::vector<QueryParam> params = {}) {
    auto query = check(sql, std::move(params));
    EXPECT_TRUE(query) << sql << query.error().describe();
    return query ? query->tables.begin()->second.range : TimeRange{};
  }

  std::filesystem::path dir_;
  std::unique_ptr<DuckDb> duckdb_;
  std::unique_ptr<DuckConnection> connection_;
  KnownNames known_{{"boiler", "plug_1", "streams"}};
  base::Diagnostic diagnostic_;
};

TEST_F(GuardTest, EveryAttackIsRefused) {
  for (const std::string_view sql : kAttacks) {
    const auto query = check(sql);
    ASSERT_FALSE(query) << sql;
    EXPECT_EQ(query.error().code(), Code::Invalid) << sql << ": " << query.error().describe();
    EXPECT_FALSE(diagnostic_.message.empty()) << sql;
  }
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_F(GuardTest, DeepNestingNeitherCrashesNorHangs) {
  for (const int n : {500, 5'000, 50'000}) {
    const std::string attacks[] = {
        "SELECT 1" + repeat("+1", n),
        "SELECT " + repeat("NOT ", n) + "true",
        "SELECT " + repeat("(", n) + "1" + repeat(")", n),
        "SELECT " + repeat("[", n) + "1" + repeat("]", n),
        "SELECT " + repeat("-", n) + "1",
        repeat("SELECT (", n) + "1" + repeat(")", n),
        "SELECT * FROM " + repeat("(SELECT * FROM ", n) + "boiler" + repeat(")", n),
        "SELECT 1" + repeat(" UNION ALL SELECT 1", n),
        "SELECT * FROM boiler" + repeat(" CROSS JOIN boiler", n),
        "SELECT " + repeat("abs(", n) + "1" + repeat(")", n),
        "SELECT " + repeat("CASE WHEN true THEN ", n) + "1" + repeat(" END", n),
        "WITH " + repeat("a AS (WITH ", n) + "b AS (SELECT 1) SELECT 1",
    };
    for (const std::string& sql : attacks) {
      const auto query = check(sql);  // Deep ones are refused; what passes is within all limits.
      if (query) continue;
      const Code code = query.error().code();
      EXPECT_TRUE(code == Code::Invalid || code == Code::Exhausted) << sql.substr(0, 60);
    }
  }
}

TEST_F(GuardTest, OrdinaryQueriesPass) {
  constexpr std::string_view kGood[] = {
      "SELECT 1",
      "SELECT * FROM boiler",
      "SELECT * FROM main.boiler b WHERE b.temp > 3 ORDER BY ts LIMIT 10 OFFSET $1",
      "SELECT * FROM \"plug-1\"",
      "SELECT * FROM PLUG_1 JOIN boiler USING (ts)",
      "WITH a AS (SELECT * FROM boiler), b AS (FROM a) SELECT * FROM b",
      "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
      "SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])",
      "SELECT device, avg(temp) OVER (PARTITION BY device) FROM boiler QUALIFY row_number() OVER "
      "() < 3",
      "VALUES (1), (2)",
      "SELECT * FROM (PIVOT boiler ON device IN ('a') USING avg(temp))",
      "SELECT * FROM boiler ASOF JOIN plug_1 USING (ts)",
      "SELECT list_transform([1, 2], x -> x + 1)",
  };
  for (const std::string_view sql : kGood) {
    const auto query = check(sql);
    EXPECT_TRUE(query) << sql << ": " << query.error().describe();
  }
}

TEST_F(GuardTest, AnUnknownStreamIsPointedAtAndSuggested) {
  EXPECT_FALSE(check("SELECT *\n  FROM bioler"));
  EXPECT_EQ(diagnostic_.line, 2);
  EXPECT_EQ(diagnostic_.column, 8);
  EXPECT_EQ(diagnostic_.id, "unknown-reference");
  EXPECT_FALSE(check("SELECT 'üü' FROM bioler"));
  EXPECT_EQ(diagnostic_.column, 18);
  EXPECT_EQ(diagnostic_.suggestion, "boiler");
}

TEST_F(GuardTest, ASyntaxErrorIsPointedAtInCodePoints) {
  EXPECT_FALSE(check("SELECT 'ü',\n 'ü' FORM boiler x y"));
  EXPECT_EQ(diagnostic_.id, "syntax");
  EXPECT_EQ(diagnostic_.line, 2);
  EXPECT_EQ(diagnostic_.column, 11) << diagnostic_.message;
}

TEST_F(GuardTest, ComparisonsOfTsWithConstantsNarrowTheRange) {
  constexpr std::int64_t kDay = 1'767'225'600'000'000;  // 2026-01-01
  auto r = range(
      "SELECT * FROM boiler WHERE device = 'a' AND ts >= TIMESTAMP '2026-01-01' AND "
      "'2026-01-01 00:00:01.5' > ts");
  EXPECT_EQ(r.from, kDay);
  EXPECT_EQ(r.to, kDay + 1'500'000);
  r = range("SELECT * FROM \"plug-1\" p WHERE p.ts BETWEEN $1 AND $2",
            {{.value = std::string("2026-01-01T00:00:00")}, {.value = std::string("2026-01-02")}});
  EXPECT_EQ(r.from, kDay);
  EXPECT_EQ(r.to, kDay + 86'400'000'000);
}

TEST_F(GuardTest, TheClockIsEvaluatedWithAMargin) {
  const auto now =
      std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto r = range("SELECT * FROM boiler WHERE ts > now() - INTERVAL 1 HOUR");
  EXPECT_LT(r.from, now - 3'600'000'000);
  EXPECT_GT(r.from, now - 3'800'000'000);
}

TEST_F(GuardTest, WhatIsNotUnderstoodNarrowsNothing) {
  for (const std::string_view sql :
       {"SELECT * FROM boiler WHERE ts > '2026-01-01' OR temp > 3",
        "SELECT * FROM boiler WHERE NOT (ts > '2026-01-01' AND temp > 3)",
        "SELECT * FROM boiler AS b(x, y) WHERE ts > '2026-01-01'",
        "SELECT * FROM boiler WHERE other.ts > '2026-01-01'",
        "SELECT * FROM boiler a ASOF JOIN plug_1 b USING (ts) WHERE b.ts < '2026-01-01'",
        "SELECT * FROM boiler USING SAMPLE 5 ROWS",
        "SELECT * FROM boiler TABLESAMPLE 10% WHERE ts > '2026-01-01'",
        "SELECT * FROM boiler WHERE ts > '2026-01-01' UNION ALL SELECT * FROM boiler"}) {
    const auto query = check(sql);
    ASSERT_TRUE(query) << sql << query.error().describe();
    EXPECT_EQ(query->tables.at("boiler").range.from, TimeRange{}.from) << sql;
    EXPECT_EQ(query->tables.at("boiler").range.to, TimeRange{}.to) << sql;
  }
}

}  // namespace
}  // namespace infiniedge::store
