// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/batch.hpp"

namespace infiniedge::app {

/// One value as JSON; bytes as `"<n bytes>"`, for people.
std::string value_json(const Field& field, const Column& column, std::size_t row);
/// {"device","ts","_q",fields…}
std::string row_json(const Batch& batch, std::size_t row);
/// RFC 3339, UTC, microseconds only if there are any.
std::string rfc3339(Timestamp time);

}  // namespace infiniedge::app
