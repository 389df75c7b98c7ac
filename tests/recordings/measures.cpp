// SPDX-License-Identifier: Apache-2.0
#include "measures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace infiniedge::tests {
namespace {

std::string items(const std::vector<Measure>& measures, std::string Measure::* text) {
  std::vector<std::string> out;
  for (const auto& measure : measures) {
    out.push_back(fmt::format("{} AS {}", measure.*text, measure.name));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

/// The value at rank floor(p · (n − 1)): what a sketch of whole values can give.
std::string rank(const std::string& column, double p) {
  return fmt::format(
      "list_sort(list({0}))[CAST(floor(CAST({1} AS DOUBLE) * (count({0}) - 1)) AS BIGINT) + 1]",
      column, p);
}

}  // namespace

std::string rule_items(const std::vector<Measure>& measures) {
  return items(measures, &Measure::rule);
}

std::string query_items(const std::vector<Measure>& measures) {
  return items(measures, &Measure::duckdb);
}

std::vector<Measure> all_measures(const std::string& column, const std::string& prefix) {
  struct Template {
    std::string_view name, rule, duckdb;
  };
  static constexpr Template kTemplates[] = {
      {"n", "count({0})", "count({0})"},
      {"total", "sum({0})", "fsum({0})"},
      {"mean", "avg({0})", "favg({0})"},
      {"low", "min({0})", "min({0})"},
      {"high", "max({0})", "max({0})"},
      {"deviation", "stddev({0})", "stddev_samp({0})"},
      {"variance", "var({0})", "var_samp({0})"},
      {"effective", "rms({0})", "sqrt(favg({0} * {0}))"},
      {"span", "p2p({0})", "max({0}) - min({0})"},
      {"opening", "first({0})", "first({0} ORDER BY us, rn)"},
      {"closing", "last({0})", "last({0} ORDER BY us, rn)"},
      {"trend", "slope({0})",
       "CASE WHEN max(us) > min(us) THEN regr_slope({0}, (us - (SELECT min(us) FROM t)) / 1e6) "
       "END"},
      {"different", "count_distinct({0})", "count(DISTINCT {0})"}};
  std::vector<Measure> out;
  for (const auto& [name, rule, duckdb] : kTemplates) {
    out.push_back({prefix + std::string(name), fmt::format(fmt::runtime(rule), column),
                   fmt::format(fmt::runtime(duckdb), column)});
  }
  for (const int percent : {50, 95}) {
    out.push_back({fmt::format("{}p{}", prefix, percent),
                   fmt::format("percentile({}, {})", column, percent / 100.0),
                   rank(column, percent / 100.0)});
  }
  return out;
}

Tolerances loose(const std::string& prefix) {
  return {{prefix + "p50", 0.01}, {prefix + "p95", 0.01}, {prefix + "trend", 1e-6}};
}

std::string read_nab(const std::string& file) {
  return fmt::format(
      "CREATE TABLE t AS SELECT row_number() OVER () AS rn, epoch_us(timestamp) AS us, "
      "timestamp AS stamp, value FROM read_csv('{}', header = true, "
      "columns = {{'timestamp': 'TIMESTAMP', 'value': 'DOUBLE'}})",
      file);
}

std::string tumble(const std::string& size, const std::string& items, const std::string& where) {
  return fmt::format(
      "SELECT epoch_us(time_bucket(INTERVAL '{0}', stamp, TIMESTAMP '1970-01-01') + INTERVAL "
      "'{0}') "
      "AS ts, {1} FROM t WHERE {2} GROUP BY ts ORDER BY ts",
      size, items, where);
}

std::string hop(const std::string& every, int times, const std::string& items) {
  return fmt::format(
      "SELECT epoch_us(time_bucket(INTERVAL '{0}', stamp, TIMESTAMP '1970-01-01') + "
      "INTERVAL '{0}' * k) AS ts, {2} FROM t, range(1, {1} + 1) AS step(k) "
      "GROUP BY ts ORDER BY ts",
      every, times, items);
}

}  // namespace infiniedge::tests
