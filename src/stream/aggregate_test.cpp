// SPDX-License-Identifier: Apache-2.0
#include "stream/aggregate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>
#include <random>

#include "stream/sketch.hpp"
#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using testing::Row;

/// Another engine computes the same sums.
class Sqlite {
 public:
  Sqlite() { sqlite3_open(":memory:", &db_); }
  ~Sqlite() { sqlite3_close(db_); }
  void run(const std::string& sql) {
    char* error = nullptr;
    ASSERT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  }
  std::vector<std::vector<double>> rows(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::vector<std::vector<double>> out;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      out.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        out.back().push_back(sqlite3_column_type(statement, i) == SQLITE_NULL
                                 ? std::nan("")
                                 : sqlite3_column_double(statement, i));
      }
    }
    sqlite3_finalize(statement);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

/// Rows of a rule's batches as numbers: device number, end in µs, columns.
std::vector<std::vector<double>> numbers(const std::string& sql, const std::vector<Row>& rows,
                                         std::size_t batch) {
  const testing::Schemas schemas({testing::machine()});
  auto rule = compile({.name = "r", .sql = sql, .lateness = Seconds{30}}, schemas, nullptr);
  EXPECT_TRUE(rule);
  std::vector<std::vector<double>> out;
  (*rule)->collect({.out = [&](Batch b) {
    for (std::size_t i = 0; i < b.rows(); ++i) {
      out.push_back({std::stod(std::string(b.device_of(i).substr(1))),
                     static_cast<double>(b.ts[i] - testing::kStart)});
      for (std::size_t k = 0; k < b.columns.size(); ++k) {
        const auto& column = b.columns[k];
        const double value =
            column.values.index() == 1 ? column.floats()[i] : static_cast<double>(column.ints()[i]);
        out.back().push_back(column.is_null(i) ? std::nan("") : value);
      }
    }
  }});
  for (std::size_t from = 0; from < rows.size(); from += batch) {
    const std::vector<Row> part(
        rows.begin() + static_cast<long>(from),
        rows.begin() + static_cast<long>(std::min(rows.size(), from + batch)));
    (*rule)->feed(std::make_shared<const Batch>(testing::make_batch(testing::machine(), part)),
                  testing::at(part.back().seconds));
  }
  (*rule)->flush(testing::at(rows.back().seconds));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Row> random_rows(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> value(100, 25), jitter(0, 2);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < n; ++i) {
    Row row{fmt::format("d{}", random() % 7),
            std::max(0.0, static_cast<double>(i) * 0.05 + jitter(random)),
            {}};
    row.values = {{}, value(random), static_cast<std::int64_t>(random() % 1000)};
    if (random() % 10 == 0) row.values[1] = {};
    rows.push_back(std::move(row));
  }
  return rows;
}

void insert(Sqlite& db, const std::vector<Row>& rows) {
  db.run("CREATE TABLE r (d INT, ts INT, load REAL, count INT); BEGIN");
  for (const auto& row : rows) {
    const auto* load = std::get_if<double>(&row.values[1]);
    db.run(fmt::format("INSERT INTO r VALUES ({}, {}, {}, {})", row.device.substr(1),
                       to_us(testing::at(row.seconds)) - testing::kStart,
                       load != nullptr ? fmt::format("{:.17g}", *load) : "NULL",
                       std::get<std::int64_t>(row.values[2])));
  }
  db.run("COMMIT");
}

void expect_near(const std::vector<std::vector<double>>& ours,
                 const std::vector<std::vector<double>>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].size(), theirs[i].size());
    for (std::size_t k = 0; k < ours[i].size(); ++k) {
      if (std::isnan(theirs[i][k])) {
        EXPECT_TRUE(std::isnan(ours[i][k])) << i << ":" << k;
      } else {
        EXPECT_NEAR(ours[i][k], theirs[i][k], 1e-9 * (1 + std::abs(theirs[i][k]))) << i << ":" << k;
      }
    }
  }
}

constexpr std::string_view kTheirs =
    "count(*), count(load), sum(load), avg(load), min(load), max(load), sum(count), "
    "max(count), max(load) - min(load), sqrt(avg(load * load)), "
    "CASE WHEN count(load) > 1 THEN (sum(load * load) - sum(load) * sum(load) / count(load)) / "
    "(count(load) - 1) END, count(DISTINCT count)";

TEST(Aggregate, TumblingSumsAgreeWithSqlite) {
  const auto rows = random_rows(20'000, 7);
  Sqlite db;
  insert(db, rows);
  const auto theirs = db.rows(fmt::format(
      "SELECT d, (ts / 10000000 + 1) * 10000000 AS e, {} FROM r GROUP BY d, e ORDER BY d, e",
      kTheirs));
  const std::string ours =
      "SELECT count(*) AS n, count(load) AS k, sum(load) AS s, avg(load) AS a, min(load) AS lo, "
      "max(load) AS hi, sum(count) AS c, max(count) AS m, p2p(load) AS p, rms(load) AS q, "
      "var(load) AS v, count_distinct(count) AS x FROM machine "
      "GROUP BY device, TUMBLE(10s) LATE DROP";
  // 17 rows a batch or all at once: the panes must not show.
  for (const std::size_t batch : {std::size_t{17}, std::size_t{1000}, rows.size()}) {
    expect_near(numbers(ours, rows, batch), theirs);
  }
}

TEST(Aggregate, HoppingSumsAgreeWithSqlite) {
  const auto rows = random_rows(5'000, 11);
  Sqlite db;
  insert(db, rows);
  const auto theirs = db.rows(
      "WITH RECURSIVE k(e) AS (SELECT 4000000 UNION ALL SELECT e + 4000000 FROM k WHERE e < "
      "400000000) SELECT d, e, count(*), sum(load), min(load), "
      "CASE WHEN count(load) > 1 THEN (sum(load * load) - sum(load) * sum(load) / count(load)) / "
      "(count(load) - 1) END FROM k JOIN r ON ts >= e - 12000000 AND ts < e "
      "GROUP BY d, e ORDER BY d, e");
  expect_near(numbers("SELECT count(*) AS n, sum(load) AS s, min(load) AS lo, var(load) AS v "
                      "FROM machine GROUP BY device, HOP(12s, 4s) LATE DROP",
                      rows, 100),
              theirs);
}

TEST(Aggregate, SlopeIsLeastSquaresAndSurvivesPanes) {
  std::vector<Row> rows;
  for (int i = 0; i < 40; ++i) rows.push_back({"d1", i * 0.5, {{}, 3.0 - 0.25 * i}});
  const auto got = numbers(
      "SELECT slope(load) AS s FROM machine GROUP BY device, HOP(8s, 2s) "
      "LATE DROP",
      rows, 3);
  ASSERT_FALSE(got.empty());
  for (const auto& row : got) EXPECT_NEAR(row[2], -0.5, 1e-9);
}

TEST(Aggregate, EmptyOfValuesIsNullButCounted) {
  Bench b(
      "SELECT count(*) AS n, count(load) AS k, sum(load) AS s, avg(load) AS a, min(mode) AS m, "
      "stddev(load) AS d, percentile(load, 0.5) AS p, count_distinct(load) AS u "
      "FROM machine GROUP BY device, TUMBLE(10s)");
  b.feed({{"a", 1, {}}}).flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 n=1 k=0 s=- a=- m=- d=- p=- u=0 _version=0"));
}

TEST(Aggregate, CollectsTextsAndFloats) {
  Bench b(
      "SELECT collect(mode) AS m, collect(load) AS l, wave_mean(collect(load)) AS w "
      "FROM machine GROUP BY device, TUMBLE(10s)");
  b.feed({{"a", 1, {{}, 1.0, {}, {}, "x\"y"}}, {"a", 2, {{}, 3.0, {}, {}, "z"}}}).flush();
  EXPECT_THAT(b.out(), ElementsAre(R"(a@10 m=["x\"y","z"] l=8 bytes w=2 _version=0)"));
}

TEST(Aggregate, IntegerSumsOverflowToNull) {
  Bench b("SELECT sum(count) AS s FROM machine GROUP BY device, TUMBLE(10s)");
  const std::int64_t big = std::int64_t{1} << 62;
  b.feed({{"a", 1, {{}, {}, big}}, {"a", 2, {{}, {}, big}}}).flush();
  EXPECT_THAT(b.out(), ElementsAre("a@10 s=- _version=0"));
  EXPECT_EQ(b.stats().errors, 1U);
}

TEST(QuantileSketch, StaysWithinOnePercentAndMerges) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> value(1, 2);
  std::vector<double> values;
  QuantileSketch a, b;
  for (int i = 0; i < 50'000; ++i) {
    const double x = value(random) * (i % 3 == 0 ? -1 : 1);
    values.push_back(x);
    (i % 2 == 0 ? a : b).add(x);
  }
  a.merge(b);
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.01, 0.25, 0.3334, 0.5, 0.9, 0.999, 1.0}) {
    const double exact = values[static_cast<std::size_t>(q * (values.size() - 1))];
    EXPECT_NEAR(a.quantile(q), exact, 0.0101 * std::abs(exact)) << q;
  }
}

TEST(DistinctSketch, IsExactWhenSmallAndCloseWhenLarge) {
  std::mt19937_64 random(5);
  DistinctSketch a, b;
  for (int i = 0; i < 200; ++i) a.add(random());
  EXPECT_EQ(a.estimate(), 200);
  for (int i = 0; i < 100'000; ++i) {
    const auto hash = random();
    a.add(hash);
    b.add(hash);
    if (i % 2 == 0) b.add(random());
  }
  EXPECT_NEAR(static_cast<double>(a.estimate()), 100'200, 5'000);
  a.merge(b);
  EXPECT_NEAR(static_cast<double>(a.estimate()), 150'200, 7'500);
}

}  // namespace
}  // namespace infiniedge::stream
