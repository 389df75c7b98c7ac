// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::app::config {

/// `250ms`, `1m30s`, `7d`. Errors: Invalid; a bare number says which unit to add.
Result<Micros> parse_duration(std::string_view text);
/// `64Ki` = `64KiB` = 65536, `2G` = 2·10⁹, `512`. Errors: Invalid.
Result<std::uint64_t> parse_bytes(std::string_view text);
/// Finite decimal number.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
/// `true` or `false`.
std::optional<bool> parse_bool(std::string_view text);

/// Shortest spelling that parse_duration reads back: 90 s is `1m30s`.
std::string format_duration(Micros duration);

}  // namespace infiniedge::app::config
