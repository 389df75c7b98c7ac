// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "infiniedge/connector.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::device {

/// Whether `value`, in units, may be written to the point.
/// Errors: Denied (no `write:`), Invalid (type, bounds, step, enum; the message holds them).
Result<void> check_write(const DeviceSpec& device, const Point& point, std::string_view value);

}  // namespace infiniedge::device
