// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "table.hpp"

namespace infiniedge::tests {

/// One column in both languages: what a rule says, and what is true of it in DuckDB.
struct Measure {
  std::string name, rule, duckdb;
};

/// `expression AS name, …` of the rule, or of the query.
std::string rule_items(const std::vector<Measure>& measures);
std::string query_items(const std::vector<Measure>& measures);

/// count, sum, avg, min, max, stddev, var, rms, p2p, first, last, slope, two percentiles and the
/// number of different values, of `column` of a table that ask_duckdb() made with time `us`,
/// order of arrival `rn`. Names begin with `prefix`.
std::vector<Measure> all_measures(const std::string& column, const std::string& prefix = "");
/// Percentiles are within 1 %. A slope is a difference of large numbers.
Tolerances loose(const std::string& prefix = "");

/// A CSV file of NAB as table t(rn, us, stamp, value).
std::string read_nab(const std::string& file);
/// Windows of `size`, aligned to the epoch in UTC; both in SQL's words, as '1 hour'.
std::string tumble(const std::string& size, const std::string& items,
                   const std::string& where = "true");
/// … of `size`, one each `every`; `size` is `times` times `every`.
std::string hop(const std::string& every, int times, const std::string& items);

}  // namespace infiniedge::tests
