// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/config/schema.hpp"

namespace infiniedge::app {

/// What a field or option takes, in words: "duration", "normal|alarm|high|bulk", "list of …".
std::string type_text(const config::FieldSpec& field);
std::string type_text(const Option& option);

/// "0 to 1"; empty if nothing bounds it.
std::string bounds_text(double min, double max);

}  // namespace infiniedge::app
