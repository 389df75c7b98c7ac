// SPDX-License-Identifier: Apache-2.0
// The Tennessee Eastman process, 52 variables each three minutes, through `replay` into rules,
// against SQL over the raw matrices.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "device/testing/collector.hpp"
#include "measures.hpp"
#include "oracle.hpp"
#include "player.hpp"

namespace infiniedge::tests {
namespace {

using device::testing::make_device;
using device::testing::make_point;

constexpr int kVariables = 52;

struct Run {
  std::string file;
  bool transposed;
  std::size_t rows;
};

void PrintTo(const Run& run, std::ostream* out) { *out << run.file; }

/// The matrix as table t(rn, us, stamp, v1, …, v52), a row a sample.
std::vector<std::string> read_matrix(const Run& run) {
  std::string values;
  for (int i = 1; i <= kVariables; ++i) {
    values += run.transposed ? fmt::format(", list(v[i] ORDER BY line)[{0}] AS v{0}", i)
                             : fmt::format(", v[{0}] AS v{0}", i);
  }
  const auto lines = fmt::format(
      "CREATE TABLE lines AS SELECT row_number() OVER () AS line, CAST("
      "regexp_split_to_array(trim(text), '\\s+') AS DOUBLE[]) AS v FROM read_csv('{}', "
      "header = false, delim = '|', quote = '', escape = '', columns = {{'text': 'VARCHAR'}})",
      recording("tep/" + run.file));
  const std::string samples = run.transposed
                                  ? fmt::format(
                                        "SELECT i AS rn{} FROM lines, range(1, {}) AS sample(i) "
                                        "GROUP BY i",
                                        values, run.rows + 1)
                                  : fmt::format("SELECT line AS rn{} FROM lines", values);
  return {lines, fmt::format("CREATE TABLE t AS SELECT TIMESTAMP '2020-01-01' + "
                             "INTERVAL '3 minutes' * (rn - 1) AS stamp, epoch_us(stamp) AS us, * "
                             "FROM ({}) ORDER BY rn",
                             samples)};
}

class Tep : public ::testing::TestWithParam<Run> {
 protected:
  void SetUp() override {
    if (const auto why = not_here("tep/" + GetParam().file); !why.empty()) GTEST_SKIP() << why;
    std::vector<Point> points;
    for (int i = 1; i <= kVariables; ++i) {
      points.push_back(make_point(fmt::format("v{}", i), fmt::format("{}", i)));
    }
    player_ = std::make_unique<Player>(
        make_device("tep", "file:" + recording("tep/" + GetParam().file), points,
                    {{"format", "matrix"},
                     {"transposed", GetParam().transposed ? "true" : "false"},
                     {"period", "3m"},
                     {"start", "2020-01-01T00:00:00Z"}}));
  }
  Table ask(const std::string& query) { return ask_duckdb(read_matrix(GetParam()), {query})[0]; }

  std::unique_ptr<Player> player_;
};

TEST_P(Tep, EverySampleOfEveryVariableComesThroughOnce) {
  player_->rule("all", "SELECT * FROM tep");
  player_->play(GetParam().rows);
  const auto expected = ask("SELECT us AS ts, * EXCLUDE (stamp, us, rn) FROM t ORDER BY rn");
  EXPECT_EQ(expected.columns.size(), 1U + kVariables);
  EXPECT_TRUE(same(player_->rows("all"), expected));
}

TEST_P(Tep, EveryVariableHasItsHours) {
  std::vector<Measure> measures{{"n", "count(*)", "count(*)"}};
  for (int i = 1; i <= kVariables; ++i) {
    const auto add = [&](const char* name, const char* rule, const char* duckdb) {
      const auto column = fmt::format("v{}", i);
      measures.push_back({fmt::format("{}_{}", name, column), fmt::format("{}({})", rule, column),
                          fmt::format("{}({})", duckdb, column)});
    };
    add("mean", "avg", "favg");
    add("low", "min", "min");
    add("high", "max", "max");
    add("deviation", "stddev", "stddev_samp");
  }
  player_->rule(
      "hours", fmt::format("SELECT {} FROM tep GROUP BY device, TUMBLE(1h)", rule_items(measures)));
  player_->rule("twenties", fmt::format("SELECT {} FROM tep GROUP BY device, COUNT_WINDOW(20)",
                                        rule_items(measures)));
  player_->play(GetParam().rows);
  const auto items = query_items(measures);
  EXPECT_TRUE(same(player_->settled("hours"), ask(tumble("1 hour", items))));
  EXPECT_TRUE(same(player_->rows("twenties"),
                   ask(fmt::format("SELECT max(us) AS ts, {} FROM t GROUP BY (rn - 1) // 20 "
                                   "HAVING count(*) = 20 ORDER BY ts",
                                   items))));
}

// Reactor pressure (7), level (8), temperature (9), stripper level (15), cooling water (51).
TEST_P(Tep, FiveVariablesHaveAllAggregates) {
  std::vector<Measure> measures;
  Tolerances tolerances;
  for (const int i : {7, 8, 9, 15, 51}) {
    const auto prefix = fmt::format("v{}_", i);
    for (auto& measure : all_measures(fmt::format("v{}", i), prefix)) {
      measures.push_back(std::move(measure));
    }
    tolerances.merge(loose(prefix));
  }
  const auto rule = fmt::format("SELECT {} FROM tep GROUP BY device, ", rule_items(measures));
  player_->rule("hours", rule + "TUMBLE(1h)");
  player_->rule("sliding", rule + "HOP(2h, 30m)");
  player_->play(GetParam().rows);
  const auto items = query_items(measures);
  EXPECT_TRUE(same(player_->settled("hours"), ask(tumble("1 hour", items)), tolerances));
  EXPECT_TRUE(same(player_->settled("sliding"), ask(hop("30 minutes", 4, items)), tolerances));
}

TEST_P(Tep, RulesCompareVariablesOfOneSample) {
  player_->rule("odd",
                "SELECT v7, v9, v7 / v9 AS ratio, delta(v51) AS valve FROM tep "
                "WHERE v7 > 2705 AND v9 < 120.45 OR abs(v15 - 50) >= 2");
  player_->play(GetParam().rows);
  const auto expected =
      ask("SELECT us AS ts, v7, v9, v7 / v9 AS ratio, valve FROM (SELECT *, "
          "v51 - lag(v51) OVER (ORDER BY rn) AS valve FROM t) "
          "WHERE v7 > 2705 AND v9 < 120.45 OR abs(v15 - 50) >= 2 ORDER BY rn");
  EXPECT_FALSE(expected.rows.empty());
  EXPECT_TRUE(same(player_->rows("odd"), expected));
}

INSTANTIATE_TEST_SUITE_P(Runs, Tep,
                         ::testing::Values(Run{"d00.dat", true, 500}, Run{"d00_te.dat", false, 960},
                                           Run{"d01.dat", false, 480},
                                           Run{"d01_te.dat", false, 960}),
                         [](const auto& info) {
                           return info.param.file.substr(0, info.param.file.find('.'));
                         });

}  // namespace
}  // namespace infiniedge::tests
