// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "model/pbtxt.hpp"

namespace infiniedge::model {

/// Reads a JSON object as the fields of a protobuf message: an array is one field an element, a
/// null is a field that is not there.
/// Errors: Invalid with "line:column: what"; nesting over 32 is refused.
Result<std::vector<PbField>> parse_json_fields(std::string_view text);

}  // namespace infiniedge::model
