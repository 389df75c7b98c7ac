// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/check.hpp"
#include "sync/frame.hpp"

// What decodes must survive a round trip: the same frame, whatever bytes it came from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace sync = infiniedge::sync;
  const auto message = sync::decode(std::as_bytes(std::span(data, size)));
  if (!message) return 0;
  const auto again =
      sync::decode(infiniedge::base::as_bytes(sync::encode(message->frame, message->lane)));
  // Re-encoding may need more bytes than the limit only for text that is not there: never.
  INFINIEDGE_CHECK(again.has_value());
  INFINIEDGE_CHECK(again->frame.index() == message->frame.index());
  INFINIEDGE_CHECK(sync::encode(again->frame) == sync::encode(message->frame));
  return 0;
}
