// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace infiniedge::base {

/// CRC-32C (Castagnoli, reflected 0x82F63B78), with the CPU's instruction where there is one.
/// Pass the result of an earlier call as `seed` to continue. crc32c("123456789") = 0xE3069283.
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

}  // namespace infiniedge::base
