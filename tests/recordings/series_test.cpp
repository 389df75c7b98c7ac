// SPDX-License-Identifier: Apache-2.0
// All series of NAB through `replay` into rules, against SQL over the raw files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "device/testing/collector.hpp"
#include "measures.hpp"
#include "oracle.hpp"
#include "player.hpp"

namespace infiniedge::tests {
namespace {

using device::testing::make_device;
using device::testing::make_point;

std::size_t rows_of(const Table& count) {
  return count.rows.empty() ? 0
                            : static_cast<std::size_t>(std::get<std::int64_t>(count.rows[0][0]));
}

/// One series with all aggregates over its days and hours, its dozens and its steps.
void check_series(const std::string& name) {
  const auto file = recording("nab/data/" + name);
  const auto measures = all_measures("value");
  const auto items = query_items(measures);
  const auto expected = ask_duckdb(
      {read_nab(file)},
      {"SELECT count(*) FROM t", tumble("1 day", items), tumble("1 hour", items),
       fmt::format("SELECT max(us) AS ts, {} FROM t GROUP BY (rn - 1) // 12 "
                   "HAVING count(*) = 12 ORDER BY min(rn)",
                   items),
       "SELECT us AS ts, value, value - lag(value) OVER (ORDER BY rn) AS step, "
       "value IS DISTINCT FROM lag(value) OVER (ORDER BY rn) AS changed FROM t ORDER BY rn"});
  // A day may have more different values than are counted exactly.
  const auto tolerances = loose();
  auto estimates = tolerances;
  estimates["different"] = 0.05;
  Player player(make_device("series", "file:" + file, {make_point("value", "value")}));
  const auto rule = fmt::format("SELECT {} FROM series GROUP BY device, ", rule_items(measures));
  player.rule("days", rule + "TUMBLE(1d)");
  player.rule("hours", rule + "TUMBLE(1h)");
  player.rule("dozens", rule + "COUNT_WINDOW(12)");
  player.rule("steps",
              "SELECT value, delta(value) AS step, had_changed(true, value) AS changed "
              "FROM series");
  player.play(rows_of(expected[0]));
  EXPECT_TRUE(same(player.settled("days"), expected[1], estimates)) << name;
  EXPECT_TRUE(same(player.settled("hours"), expected[2], tolerances)) << name;
  EXPECT_TRUE(same(player.rows("dozens"), expected[3], tolerances)) << name;
  EXPECT_TRUE(same(player.rows("steps"), expected[4])) << name;
}

std::vector<std::string> all_series() {
  std::vector<std::string> out;
  const std::filesystem::path root = recording("nab/data");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".csv") {
      out.push_back(entry.path().lexically_relative(root).string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Some of their times come twice, some are missing; there are zeros, negative values, values of
// nine digits, whole numbers, and a line that is flat.
TEST(Nab, EverySeriesGivesWhatSqlOverItsFileGives) {
  if (const auto why = not_here("nab/data"); !why.empty()) GTEST_SKIP() << why;
  const auto names = all_series();
  EXPECT_EQ(names.size(), 45U);
  for (const auto& name : names) check_series(name);
}

TEST(Nab, CountsOfTweetsStayWholeNumbers) {
  const std::string name = "nab/data/realTweets/Twitter_volume_AAPL.csv";
  if (const auto why = not_here(name); !why.empty()) GTEST_SKIP() << why;
  const auto file = recording(name);
  Player player(make_device("tweets", "file:" + file, {make_point("value", "value", "uint32")}));
  player.rule("days",
              "SELECT sum(value) AS total, min(value) AS low, max(value) AS high, "
              "avg(value) AS mean FROM tweets GROUP BY device, TUMBLE(1d)");
  player.rule("bursts", "SELECT value, delta(value) AS step FROM tweets WHERE value >= 1000");
  player.play(15'902);
  const auto expected = ask_duckdb(
      {read_nab(file)},
      {tumble("1 day",
              "sum(value)::BIGINT AS total, min(value)::BIGINT AS low, "
              "max(value)::BIGINT AS high, favg(value) AS mean"),
       "SELECT us AS ts, value::BIGINT AS value, step::BIGINT AS step FROM (SELECT *, "
       "value - lag(value) OVER (ORDER BY rn) AS step FROM t) WHERE value >= 1000 ORDER BY rn"});
  EXPECT_FALSE(expected[1].rows.empty());
  EXPECT_TRUE(same(player.settled("days"), expected[0]));
  EXPECT_TRUE(same(player.rows("bursts"), expected[1]));
}

}  // namespace
}  // namespace infiniedge::tests
