// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/duckdb_table.hpp"
#include "store/result_writer.hpp"

namespace infiniedge::store {

/// Appends `text` as a JSON string.
void append_json_text(std::string& out, std::string_view text);
/// "2026-01-01T12:00:00.5Z".
std::string rfc3339(std::int64_t us);

/// Appends the value at `row` of a vector. `json`: as a JSON value; else as plain text, null as
/// nothing.
void append_value_text(std::string& out, const duck::Api& api, const ValueType& type,
                       duck::Vector vector, std::size_t row, bool json);

}  // namespace infiniedge::store
