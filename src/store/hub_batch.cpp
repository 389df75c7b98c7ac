// SPDX-License-Identifier: Apache-2.0
#include "store/hub_batch.hpp"

#include <cstring>

namespace infiniedge::store {
namespace {

constexpr std::size_t kHead = 36;  // gateway[16], u32 epoch, u64 from, u64 to

}  // namespace

std::string encode_hub_batch(const HubBatch& batch) {
  std::string out{base::as_text(batch.gateway)};
  base::put(out, batch.epoch);
  base::put(out, batch.from);
  base::put(out, batch.to);
  out.append(base::as_text(batch.block));
  return out;
}

Result<HubBatch> decode_hub_batch(base::ByteView bytes) {
  if (bytes.size() < kHead) return Error{Code::Corrupt, "a hub batch is cut short"};
  HubBatch batch{.gateway = {},
                 .epoch = base::get<std::uint32_t>(bytes, 16),
                 .from = base::get<std::uint64_t>(bytes, 20),
                 .to = base::get<std::uint64_t>(bytes, 28),
                 .block = bytes.subspan(kHead)};
  std::memcpy(batch.gateway.data(), bytes.data(), batch.gateway.size());
  if (batch.from == 0 || batch.to < batch.from || batch.to >= kMaxSeq) {
    return Error{Code::Corrupt, "a hub batch covers an impossible range"};
  }
  return batch;
}

}  // namespace infiniedge::store
