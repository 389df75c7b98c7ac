// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace infiniedge::tests {
namespace {

constexpr int kShown = 8;
constexpr double kZero = 1e-12;  // Less is nothing: a deviation of equal values, say.

std::string text_of(const Cell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  return "NULL";
}

double number_of(const Cell& cell) {
  const auto* whole = std::get_if<std::int64_t>(&cell);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(cell);
}

bool matches(const Cell& seen, const Cell& expected, double tolerance) {
  const bool null = seen.index() == 0 || expected.index() == 0;
  if (null) return seen.index() == expected.index();
  const bool whole = seen.index() == 1 && expected.index() == 1;
  if (whole && tolerance == kClose) return seen == expected;
  const double a = number_of(seen), b = number_of(expected);
  return std::abs(a - b) <= std::max(kZero, tolerance * std::abs(b));
}

}  // namespace

::testing::AssertionResult same(const Table& seen, const Table& expected,
                                const Tolerances& tolerances) {
  if (seen.columns != expected.columns) {
    return ::testing::AssertionFailure()
           << fmt::format("columns {} where {} were expected", fmt::join(seen.columns, ", "),
                          fmt::join(expected.columns, ", "));
  }
  if (seen.rows.size() != expected.rows.size()) {
    return ::testing::AssertionFailure()
           << fmt::format("{} rows where {} were expected", seen.rows.size(), expected.rows.size());
  }
  std::string faults;
  int count = 0;
  for (std::size_t row = 0; row < expected.rows.size(); ++row) {
    for (std::size_t i = 0; i < expected.columns.size(); ++i) {
      const auto& name = expected.columns[i];
      const auto loose = tolerances.find(name);
      const double tolerance = loose == tolerances.end() ? kClose : loose->second;
      const auto &a = seen.rows[row][i], &b = expected.rows[row][i];
      if (matches(a, b, tolerance) || ++count > kShown) continue;
      faults += fmt::format("\n  row {}: {} is {} where {} was expected", row, name, text_of(a),
                            text_of(b));
    }
  }
  if (count == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << fmt::format("{} wrong values:{}", count, faults);
}

}  // namespace infiniedge::tests
