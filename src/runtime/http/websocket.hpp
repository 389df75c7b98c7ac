// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "runtime/http/http.hpp"
#include "runtime/http/transport.hpp"

namespace infiniedge::runtime::http {

/// Answers an upgrade request that has been read from `transport`, announcing `protocol` if it
/// is not empty, and takes the connection over.
Task<Result<std::shared_ptr<WebSocket>>> accept_websocket(std::shared_ptr<Transport> transport,
                                                          const Request& request,
                                                          std::string protocol,
                                                          std::size_t max_message);

/// Asks for an upgrade, within `timeout`. Errors: Timeout, Denied (401, 403), NotFound (404),
/// Unavailable (other answers, with their status), Unsupported (the server chose another
/// subprotocol).
Task<Result<std::shared_ptr<WebSocket>>> connect_websocket(std::shared_ptr<Transport> transport,
                                                           std::string host, std::string target,
                                                           std::string protocol, Headers headers,
                                                           std::size_t max_message, Micros timeout);

}  // namespace infiniedge::runtime::http
