// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "device/value.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device {

/// RFC 3339 with `T`, `t` or a space, fraction to the microsecond, and `Z`, an offset or nothing
/// (then UTC). Years 1970 to 2261.
std::optional<Timestamp> parse_time(std::string_view text);

/// Seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by size: a
/// second's count is below 1e11 until the year 5138.
std::optional<Timestamp> time_from_number(double number);
std::optional<Timestamp> time_from_number(std::int64_t number);

/// Any of the above, as a payload holds it.
std::optional<Timestamp> time_from(const Value& value);

/// An integer of microseconds since the epoch.
std::optional<Timestamp> time_from_micros(const Value& value);

}  // namespace infiniedge::device
