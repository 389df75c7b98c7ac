// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::runtime::http {

/// Header fields in order; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value);
  void set(std::string_view name, std::string value);
  /// First value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// One empty body for all requests without one.
const std::shared_ptr<const std::string>& empty_body();

struct Request {
  std::string method;  ///< "GET"
  std::string target;  ///< Path and query as sent: "/v2/models/a?x=1".
  Headers headers;
  /// Whole body, already de-chunked and within the door's limit. Shared, so that tensors can
  /// point into it without a copy.
  std::shared_ptr<const std::string> body = empty_body();
  std::string peer;                ///< "127.0.0.1"; empty on a Unix socket.
  bool unix_peer_trusted = false;  ///< Unix socket, and the peer's uid is ours or root.
  bool tls = false;
  /// Subject alternative names (URIs, DNS names) of the client's verified certificate.
  std::vector<std::string> client_names{};
  /// Stops when the client closes the connection before it has its answer.
  std::stop_token disconnected{};

  std::string_view path() const;   ///< Target up to '?', not percent-decoded.
  std::string_view query() const;  ///< After '?', or empty.
  /// One percent-decoded query parameter, or empty.
  std::string parameter(std::string_view name) const;
};

/// Percent-decodes; malformed escapes stay as they are.
std::string percent_decode(std::string_view text);

/// Pushes pieces of a body to the client as they come (SSE, NDJSON).
///
/// One writer waits until the client's socket has taken the piece. Several writers queue behind
/// the one that waits.
///
/// Errors: Unavailable once the client has gone; Exhausted when more than 1 MiB is queued.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Task<Result<void>> write(std::string piece) = 0;
};

struct Response {
  int status = 200;
  Headers headers{};
  std::string body{};
  /// If set, `body` is ignored and the body is what this writes, chunked, until it returns.
  /// When the client goes away its pending operations fail with Cancelled, as in a Scope.
  std::function<Task<void>(std::shared_ptr<BodyWriter>)> stream{};
};

/// A WebSocket connection, either side. Messages are whole and binary.
///
/// Thread: shard-bound; one send and one receive may be under way at a time.
/// Owner:  shared by the session that reads and the session that writes.
/// Errors: Unavailable when the other side has gone, Corrupt for a message over the limit.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual Task<Result<void>> send(std::string message) = 0;
  virtual Task<Result<std::string>> receive() = 0;
  /// Sends a close frame and drops the connection. Idempotent.
  virtual void close() = 0;
};

}  // namespace infiniedge::runtime::http
