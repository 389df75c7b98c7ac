// SPDX-License-Identifier: Apache-2.0
// NAB's industrial machine through `replay` into rules: every row of every rule against SQL over
// the raw file. Its clock goes back by 55 minutes once, so twelve times come twice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "device/testing/collector.hpp"
#include "device/testing/process.hpp"
#include "measures.hpp"
#include "oracle.hpp"
#include "player.hpp"

namespace infiniedge::tests {
namespace {

using device::testing::make_device;
using device::testing::make_point;
using stream::LatePolicy;
using stream::RuleSpec;

const std::string kMachine = "nab/data/realKnownCause/machine_temperature_system_failure.csv";
constexpr std::size_t kRows = 22'695;

class Machine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = not_here(kMachine); !why.empty()) GTEST_SKIP() << why;
    const auto points = std::vector{make_point("value", "value")};
    player_ = std::make_unique<Player>(make_device("machine", "file:" + file_, points));
  }
  Table ask(const std::string& query) { return ask_duckdb({read_nab(file_)}, {query})[0]; }

  const std::string file_ = recording(kMachine);
  std::unique_ptr<Player> player_;
};

TEST_F(Machine, EveryRowOfTheFileComesThroughOnce) {
  player_->rule("all", "SELECT value FROM machine");
  player_->play(kRows);
  EXPECT_TRUE(same(player_->rows("all"), ask("SELECT us AS ts, value FROM t ORDER BY rn")));
}

TEST_F(Machine, HoursDaysAndQuartersHaveAllAggregates) {
  const auto measures = all_measures("value");
  const auto rule = fmt::format("SELECT {} FROM machine GROUP BY device, ", rule_items(measures));
  player_->rule("quarters", rule + "TUMBLE(15m)");
  player_->rule("hours", rule + "TUMBLE(1h)");
  player_->rule("days", rule + "TUMBLE(1d)");
  player_->play(kRows);
  const auto query = query_items(measures);
  EXPECT_TRUE(same(player_->settled("quarters"), ask(tumble("15 minutes", query)), loose()));
  EXPECT_TRUE(same(player_->settled("hours"), ask(tumble("1 hour", query)), loose()));
  // A day has more different values than are counted exactly.
  auto estimates = loose();
  estimates["different"] = 0.05;
  EXPECT_TRUE(same(player_->settled("days"), ask(tumble("1 day", query)), estimates));
}

TEST_F(Machine, WindowsStandWhereTheirOffsetSays) {
  player_->rule("shifts",
                "SELECT window_start() AS began, window_end() AS ended, count(*) AS n, "
                "avg(value) AS mean FROM machine GROUP BY TUMBLE(8h, 6h)");
  player_->play(kRows);
  const auto expected = ask(
      "SELECT epoch_us(began) + 28800000000 AS ts, epoch_us(began) AS began, "
      "epoch_us(began) + 28800000000 AS ended, count(*) AS n, favg(value) AS mean FROM "
      "(SELECT time_bucket(INTERVAL '8 hours', stamp, TIMESTAMP '1970-01-01 06:00:00') AS began, "
      "value FROM t) GROUP BY began ORDER BY began");
  EXPECT_TRUE(same(player_->settled("shifts"), expected));
}

TEST_F(Machine, HopsOverlap) {
  const auto measures = all_measures("value");
  const auto rule = fmt::format("SELECT {} FROM machine GROUP BY device, ", rule_items(measures));
  player_->rule("hour_each_quarter", rule + "HOP(1h, 15m)");
  player_->rule("shift_each_hour", rule + "HOP(8h, 1h)");
  player_->play(kRows);
  const auto query = query_items(measures);
  EXPECT_TRUE(
      same(player_->settled("hour_each_quarter"), ask(hop("15 minutes", 4, query)), loose()));
  EXPECT_TRUE(same(player_->settled("shift_each_hour"), ask(hop("1 hour", 8, query)), loose()));
}

TEST_F(Machine, CountWindowsTakeTheRowsAsTheyCome) {
  const auto measures = all_measures("value");
  player_->rule("dozens", fmt::format("SELECT {} FROM machine GROUP BY device, COUNT_WINDOW(12)",
                                      rule_items(measures)));
  player_->rule("overlapping",
                "SELECT count(*) AS n, avg(value) AS mean, min(value) AS low, max(value) AS high, "
                "stddev(value) AS deviation FROM machine GROUP BY device, COUNT_WINDOW(12, 5)");
  player_->play(kRows);
  const auto dozens =
      ask(fmt::format("SELECT max(us) AS ts, {} FROM t GROUP BY (rn - 1) // 12 "
                      "HAVING count(*) = 12 ORDER BY min(rn)",
                      query_items(measures)));
  EXPECT_TRUE(same(player_->rows("dozens"), dozens, loose()));
  const auto overlapping =
      ask("SELECT * EXCLUDE (rn) FROM (SELECT rn, max(us) OVER w AS ts, count(*) OVER w AS n, "
          "favg(value) OVER w AS mean, min(value) OVER w AS low, max(value) OVER w AS high, "
          "stddev_samp(value) OVER w AS deviation FROM t "
          "WINDOW w AS (ORDER BY rn ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)) "
          "WHERE rn >= 12 AND (rn - 12) % 5 = 0 ORDER BY rn");
  EXPECT_TRUE(same(player_->rows("overlapping"), overlapping));
}

TEST_F(Machine, AnalyticFunctionsSeeTheRowsBefore) {
  player_->rule("steps",
                "SELECT lag(value) AS before, lag(value, 12, -1.0) AS an_hour_ago, "
                "delta(value) AS step, rate(value) AS speed, had_changed(true, value) AS changed, "
                "changed_col(true, value) AS news, latest(value) AS now, acc_count(value) AS n, "
                "acc_max(value) AS highest, acc_avg(value) AS mean FROM machine");
  player_->play(kRows);
  // rate(): the row before is the newest so far; one that is older than that has no rate.
  const auto expected = ask(
      "SELECT us AS ts, lag(value) OVER o AS before, lag(value, 12, -1) OVER o AS an_hour_ago, "
      "value - lag(value) OVER o AS step, CASE WHEN us > newest THEN "
      "(value - at_newest) / ((us - newest) / 1e6) END AS speed, "
      "value IS DISTINCT FROM lag(value) OVER o AS changed, "
      "CASE WHEN value IS DISTINCT FROM lag(value) OVER o THEN value END AS news, value AS now, "
      "count(*) OVER p AS n, max(value) OVER p AS highest, avg(value) OVER p AS mean FROM "
      "(SELECT *, max(us) OVER q AS newest, "
      "arg_max(value, {'us': us, 'rn': rn}) OVER q AS at_newest FROM t "
      "WINDOW q AS (ORDER BY rn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) "
      "WINDOW o AS (ORDER BY rn), "
      "p AS (ORDER BY rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) ORDER BY rn");
  EXPECT_TRUE(same(player_->rows("steps"), expected));
}

TEST_F(Machine, DeadbandReportsWhatMovedSinceTheLastReport) {
  player_->rule("moves", "SELECT value FROM machine WHERE deadband(value, 5.0)");
  player_->rule("moves_a_day",
                "SELECT count(*) FILTER (WHERE deadband(value, 5.0)) AS moves, "
                "count(*) FILTER (WHERE had_changed(true, value)) AS changes, "
                "sum(delta(value)) AS rise, max(lag(value)) AS before "
                "FROM machine GROUP BY device, TUMBLE(1d)");
  player_->play(kRows);
  const std::string reports =
      "WITH RECURSIVE report(rn, value) AS (SELECT rn, value FROM t WHERE rn = 1 UNION ALL "
      "SELECT min(t.rn), arg_min(t.value, t.rn) FROM report JOIN t ON t.rn > report.rn AND "
      "abs(t.value - report.value) >= 5 HAVING count(*) > 0) ";
  const auto moves = ask(reports +
                         "SELECT t.us AS ts, t.value FROM t JOIN report USING (rn) "
                         "ORDER BY rn");
  EXPECT_EQ(moves.rows.size(), 537U);
  EXPECT_TRUE(same(player_->rows("moves"), moves));
  const auto a_day = ask(
      reports +
      "SELECT epoch_us(date_trunc('day', stamp) + INTERVAL '1 day') AS ts, "
      "count(*) FILTER (WHERE rn IN (SELECT rn FROM report)) AS moves, "
      "count(*) FILTER (WHERE value IS DISTINCT FROM before) AS changes, "
      "fsum(value - before) AS rise, max(before) AS before "
      "FROM (SELECT *, lag(value) OVER (ORDER BY rn) AS before FROM t) GROUP BY ts ORDER BY ts");
  EXPECT_TRUE(same(player_->settled("moves_a_day"), a_day));
}

TEST_F(Machine, WhereChoosesRows) {
  struct Choice {
    std::string rule, where, truth;
  };
  const std::vector<Choice> choices{
      {"hot", "value > 100", "value > 100"},
      {"not_hot", "NOT value > 100", "NOT value > 100"},
      {"cold", "value <= 40.5", "value <= 40.5"},
      {"fine", "value BETWEEN 85 AND 95.5", "value BETWEEN 85 AND 95.5"},
      {"exact", "value IN (73.96732207, 96.90386085)", "value IN (73.96732207, 96.90386085)"},
      {"either", "value < 20 OR value >= 105", "value < 20 OR value >= 105"},
      {"rising_and_hot", "value > 95 AND value > lag(value)", "value > 95 AND value > before"},
      {"jump", "abs(delta(value)) > 8", "abs(value - before) > 8"}};
  std::vector<std::string> queries;
  for (const auto& [rule, where, truth] : choices) {
    player_->rule(rule, "SELECT value FROM machine WHERE " + where);
    queries.push_back("SELECT us AS ts, value FROM b WHERE " + truth + " ORDER BY rn");
  }
  player_->rule("hot_hours",
                "SELECT count(*) AS n, avg(value) AS mean FROM machine WHERE value > 95 "
                "GROUP BY device, TUMBLE(1h) HAVING count(*) >= 6 AND avg(value) > 98");
  queries.push_back("SELECT * FROM (" +
                    tumble("1 hour", "count(*) AS n, favg(value) AS mean", "value > 95") +
                    ") WHERE n >= 6 AND mean > 98");
  player_->play(kRows);
  const auto expected =
      ask_duckdb({read_nab(file_),
                  "CREATE TABLE b AS SELECT *, lag(value) OVER (ORDER BY rn) AS before FROM t"},
                 queries);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    EXPECT_FALSE(expected[i].rows.empty()) << choices[i].where;
    EXPECT_TRUE(same(player_->rows(choices[i].rule), expected[i])) << choices[i].where;
  }
  EXPECT_FALSE(expected.back().rows.empty());
  EXPECT_TRUE(same(player_->settled("hot_hours"), expected.back()));
}

// The names are such that no order of the alphabet closes the windows from the source down.
TEST_F(Machine, RulesReadRules) {
  player_->rule({.name = "m-hourly",
                 .sql = "SELECT avg(value) AS mean, max(value) AS high FROM machine "
                        "GROUP BY device, TUMBLE(1h)",
                 .lateness = std::chrono::hours{1}});
  player_->rule("a-daily",
                "SELECT count(*) AS hours, max(mean) AS warmest, max(high) AS high FROM m_hourly "
                "GROUP BY device, TUMBLE(1d)");
  player_->rule("z-weekly",
                "SELECT sum(hours) AS hours, max(warmest) AS warmest, max(high) AS high "
                "FROM a_daily GROUP BY device, TUMBLE(7d)");
  player_->play(kRows);
  const std::string hours =
      "WITH hourly AS (SELECT time_bucket(INTERVAL '1 hour', stamp) + INTERVAL '1 hour' AS ended, "
      "favg(value) AS mean, max(value) AS high FROM t GROUP BY ended), daily AS (SELECT "
      "time_bucket(INTERVAL '1 day', ended) + INTERVAL '1 day' AS day_end, count(*) AS hours, "
      "max(mean) AS warmest, max(high) AS high FROM hourly GROUP BY day_end) ";
  EXPECT_TRUE(same(player_->settled("a_daily"),
                   ask(hours + "SELECT epoch_us(day_end) AS ts, hours, warmest, high FROM daily "
                               "ORDER BY ts")));
  EXPECT_TRUE(
      same(player_->settled("z_weekly"),
           ask(hours +
               "SELECT epoch_us(time_bucket(INTERVAL '7 days', day_end, TIMESTAMP '1970-01-01')) + "
               "604800000000 AS ts, sum(hours)::BIGINT AS hours, max(warmest) AS warmest, "
               "max(high) AS high FROM daily GROUP BY ts ORDER BY ts")));
  EXPECT_EQ(player_->updates("m_hourly"), 0U);
}

TEST_F(Machine, DecimalsAreRoundedOnceAndThenExact) {
  auto point = make_point("value", "value");
  point.field.type = Type::Decimal;
  point.field.resolution = Resolution{5, 2};
  player_ = std::make_unique<Player>(make_device("machine", "file:" + file_, {point}));
  player_->rule("all", "SELECT value FROM machine");
  player_->rule("hours",
                "SELECT sum(value) AS total, avg(value) AS mean, min(value) AS low, "
                "max(value) AS high FROM machine GROUP BY device, TUMBLE(1h)");
  player_->play(kRows);
  const auto expected = ask_duckdb(
      {read_nab(file_), "UPDATE t SET value = round(value * 20) / 20"},
      {"SELECT us AS ts, value FROM t ORDER BY rn",
       tumble("1 hour",
              "fsum(value) AS total, favg(value) AS mean, min(value) AS low, max(value) AS high")});
  EXPECT_TRUE(same(player_->rows("all"), expected[0]));
  EXPECT_TRUE(same(player_->settled("hours"), expected[1]));
}

/// The recording from a row on that makes its step back in time fall between two batches: then
/// the windows that it goes back to have closed.
class LateMachine : public Machine {
 protected:
  static constexpr std::size_t kStepBack = 10'149;  // Data rows before it; batches have 512.
  static constexpr std::size_t kSkipped = kStepBack - 512;

  void SetUp() override {
    Machine::SetUp();
    if (IsSkipped()) return;
    std::ifstream in(file_);
    std::string line, text;
    for (std::size_t row = 0; std::getline(in, line); ++row) {
      if (row == 0 || row > kSkipped) text += line + "\n";
    }
    cut_ = dir_.write("machine.csv", text);
    const auto points = std::vector{make_point("value", "value")};
    player_ = std::make_unique<Player>(make_device("machine", "file:" + cut_, points));
  }

  RuleSpec spec(const std::string& name, LatePolicy late) {
    return {.name = name,
            .sql =
                "SELECT count(*) AS n, sum(value) AS total, first(value) AS opening, "
                "last(value) AS closing FROM machine GROUP BY device, TUMBLE(15m)",
            .late = late};
  }

  device::testing::TempDir dir_;
  std::string cut_;
};

TEST_F(LateMachine, LateRowsUpdateTheirWindowsOrGoAsideOrAreDropped) {
  player_->rule(spec("update", LatePolicy::Update));
  player_->rule(spec("side", LatePolicy::Side));
  player_->rule(spec("drop", LatePolicy::Drop));
  player_->play(kRows - kSkipped);
  const std::string items =
      "count(*) AS n, fsum(value) AS total, first(value ORDER BY us, rn) AS opening, "
      "last(value ORDER BY us, rn) AS closing";
  // 02:55 is the newest row of the batch before: windows that end by 02:54:55 have closed.
  const std::string is_late =
      "(rn > 512 AND stamp >= TIMESTAMP '2014-01-07 02:00:00' AND stamp < TIMESTAMP '2014-01-07 "
      "02:45:00')";
  const auto expected = ask_duckdb(
      {read_nab(cut_)}, {tumble("15 minutes", items), tumble("15 minutes", items, "NOT " + is_late),
                         "SELECT us AS ts, value FROM t WHERE " + is_late + " ORDER BY rn"});
  EXPECT_EQ(expected[2].rows.size(), 9U);
  EXPECT_TRUE(same(player_->settled("update"), expected[0]));
  EXPECT_EQ(player_->updates("update"), 3U);
  EXPECT_TRUE(same(player_->settled("side"), expected[1]));
  EXPECT_TRUE(same(player_->rows("side__late"), expected[2]));
  EXPECT_TRUE(same(player_->settled("drop"), expected[1]));
  EXPECT_EQ(player_->stats("drop").dropped, 9U);
}

}  // namespace
}  // namespace infiniedge::tests
