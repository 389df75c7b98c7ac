// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "runtime/http/http.hpp"

namespace infiniedge::sync {

/// A connection that carries whole messages: send, receive, close. A WebSocket is one as it
/// stands; tests put testing::SimLink in its place.
using Link = runtime::http::WebSocket;

/// Makes connections to one hub.
///
/// Thread: the uplink's shard.
/// Owner:  the uplink.
/// Errors: Unavailable, Timeout: try again soon. Denied (credentials, certificate), Unsupported
///         (no sync there): a person must act, try again slowly.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual Task<Result<std::shared_ptr<Link>>> dial() = 0;
};

}  // namespace infiniedge::sync
