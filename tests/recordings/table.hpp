// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace infiniedge::tests {

/// Nothing is NULL. Whole numbers (and truth, as 0 and 1) are compared exactly.
using Cell = std::variant<std::monostate, std::int64_t, double>;

/// Rows of a rule or of a query; the first column is `ts`, µs since the epoch.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

/// How far a column may be from what is expected, relative to it; other columns: kClose.
using Tolerances = std::map<std::string, double>;
inline constexpr double kClose = 1e-9;

/// Every row and every value; says which are wrong.
::testing::AssertionResult same(const Table& seen, const Table& expected,
                                const Tolerances& tolerances = {});

}  // namespace infiniedge::tests
