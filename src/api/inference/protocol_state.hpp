// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/shared_memory.hpp"
#include "api/inference/trace_settings.hpp"

namespace infiniedge::api::inference {

/// What clients have set up and every door of the protocol, HTTP or gRPC, must see alike.
///
/// Thread: the doors' shard.
/// Owner:  app; outlives the doors.
struct ProtocolState {
  SharedMemory memory{false};
  TraceSettings trace{};
};

}  // namespace infiniedge::api::inference
