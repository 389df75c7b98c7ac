// SPDX-License-Identifier: Apache-2.0
#include "record/decimal.hpp"

#include <array>
#include <cmath>

#include "record/value.hpp"

namespace infiniedge::record {
namespace {

constexpr std::int64_t kMaxScaled = 999'999'999'999'999'999;  // DECIMAL(18)

constexpr std::array<std::int64_t, 19> kPowers = [] {
  std::array<std::int64_t, 19> powers{};
  std::int64_t power = 1;
  for (auto& entry : powers) {
    entry = power;
    if (power <= INT64_MAX / 10) power *= 10;
  }
  return powers;
}();

bool outside(const Field& field, double x) {
  return !std::isfinite(x) || (field.min && x < *field.min) || (field.max && x > *field.max);
}

std::optional<std::int64_t> to_integer(const Field& field, double x) {
  if (field.type == Type::Decimal) return to_scaled(x, *field.resolution);
  if (field.type == Type::Bool) return x != 0 ? 1 : 0;
  // 2^63 is the first double beyond int64.
  if (x >= 0x1p63 || x < -0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(std::nearbyint(x));
}

}  // namespace

std::int64_t power_of_ten(unsigned exponent) { return kPowers.at(exponent); }

std::optional<std::int64_t> to_scaled(double x, Resolution resolution) {
  const double steps =
      x * static_cast<double>(kPowers[resolution.scale]) / static_cast<double>(resolution.mantissa);
  // The bound keeps llround defined; the exact one follows on integers.
  if (!(std::fabs(steps) < 1e18)) return std::nullopt;
  const std::int64_t rounded = std::llround(steps);
  if (std::abs(rounded) > kMaxScaled / resolution.mantissa) return std::nullopt;
  return rounded * resolution.mantissa;
}

double from_scaled(std::int64_t scaled, Resolution resolution) {
  return static_cast<double>(scaled) / static_cast<double>(kPowers[resolution.scale]);
}

int decimal_width(const Field& field) {
  if (!field.min || !field.max) return 18;
  const auto low = to_scaled(*field.min, *field.resolution);
  const auto high = to_scaled(*field.max, *field.resolution);
  if (!low || !high) return 18;
  return std::abs(*low) < kPowers[9] && std::abs(*high) < kPowers[9] ? 9 : 18;
}

bool append_number(Column& column, const Field& field, double x) {
  if (!outside(field, x)) {
    if (field.type == Type::Float) {
      column.floats().push_back(x);
    } else if (const auto value = to_integer(field, x)) {
      column.ints().push_back(*value);
    } else {
      append_null(column);
      return false;
    }
    if (!column.nulls.empty()) column.nulls.push_back(false);
    return true;
  }
  append_null(column);
  return false;
}

std::optional<Resolution> propose_resolution(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  Resolution resolution{.mantissa = 1, .scale = 0};
  for (const double value : values) {
    // The scale only grows: what a coarser one cannot hold, it cannot hold for all.
    while (true) {
      const auto scaled = to_scaled(value, resolution);
      if (scaled && from_scaled(*scaled, resolution) == value) break;
      if (!scaled || resolution.scale == 9) return std::nullopt;
      ++resolution.scale;
    }
  }
  // A later, finer scale must still hold the earlier, larger values.
  for (const double value : values) {
    const auto scaled = to_scaled(value, resolution);
    if (!scaled || from_scaled(*scaled, resolution) != value) return std::nullopt;
  }
  return resolution;
}

}  // namespace infiniedge::record
