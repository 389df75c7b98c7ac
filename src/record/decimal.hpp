// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "infiniedge/batch.hpp"
#include "infiniedge/schema.hpp"

namespace infiniedge::record {

/// 10^exponent. Requires: exponent ≤ 18.
std::int64_t power_of_ten(unsigned exponent);

/// The stored integer of `x`: mantissa · llround(x · 10^scale / mantissa). Nothing for NaN,
/// infinity, and what needs more than 18 digits.
std::optional<std::int64_t> to_scaled(double x, Resolution resolution);
/// The value behind a stored integer: scaled · 10^-scale, the nearest double.
double from_scaled(std::int64_t scaled, Resolution resolution);

/// Decimal digits that a column of `field` needs in SQL: 9 if its range fits, else 18.
/// Requires: field.type is Decimal.
int decimal_width(const Field& field);

/// Appends a measured value to `column`, the representation of `field` (Bool, Int, Decimal or
/// Float). What cannot be stored (NaN, infinity, outside min..max, too many digits) becomes null.
/// Returns false then: the row's quality is Bad, and the caller counts and warns.
[[nodiscard]] bool append_number(Column& column, const Field& field, double x);

/// The coarsest resolution 10^-s, s ≤ 9, that reproduces each value exactly (as the nearest
/// double); nothing if there is none or no value. For `infiniedge explain stream/NAME`.
std::optional<Resolution> propose_resolution(std::span<const double> values);

}  // namespace infiniedge::record
