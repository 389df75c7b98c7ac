// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
#include "record/definition.hpp"

namespace infiniedge::store {

/// The payload of a HubBatch record: rows of another gateway and the numbers that they cover, in
/// one record under one CRC, so that both are durable or neither is.
struct HubBatch {
  record::GatewayId gateway{};
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
  base::ByteView block;  ///< Empty: no row of the range was sent.
};

std::string encode_hub_batch(const HubBatch& batch);
/// Errors: Corrupt. The block points into `bytes` and is not yet judged.
Result<HubBatch> decode_hub_batch(base::ByteView bytes);

/// Numbers must stay below it, so that counting on never overflows.
constexpr std::uint64_t kMaxSeq = std::uint64_t{1} << 62;

}  // namespace infiniedge::store
