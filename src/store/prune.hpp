// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "store/duckdb_session.hpp"

namespace infiniedge::store {

/// Times that a query can see, both ends included.
struct TimeRange {
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  std::int64_t to = std::numeric_limits<std::int64_t>::max();

  bool overlaps(std::int64_t min_ts, std::int64_t max_ts) const {
    return min_ts <= to && max_ts >= from;
  }
  /// The smallest range that holds both.
  TimeRange hull(const TimeRange& other) const {
    return {std::min(from, other.from), std::max(to, other.to)};
  }
};

/// What the WHERE of a SELECT over one table says about `ts`: the AND-ed comparisons of it with
/// constants. Anything not understood narrows nothing. `select` is a SELECT_NODE of
/// json_serialize_sql; `connection` evaluates constants such as now() - INTERVAL 1 HOUR.
TimeRange time_range(const boost::json::object& select, const std::vector<QueryParam>& params,
                     DuckConnection& connection);

}  // namespace infiniedge::store
