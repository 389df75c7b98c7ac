// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/http/http.hpp"

namespace infiniedge::runtime::http {

/// http://host:port/path, https://…, or unix:/path/to.sock (then the path is `host`).
struct Url {
  std::string scheme, host, port, target;

  /// Errors: Invalid, naming what is wrong. ws and wss are read as http and https.
  static Result<Url> parse(std::string_view text);
};

struct ClientOptions {
  std::string ca{};  ///< PEM file that must have signed the server; empty: the system's.
  /// If set, the server's certificate must have this SHA-256 (hex, colons allowed); nothing else
  /// about it is checked then.
  std::string fingerprint{};
  std::string cert{}, key{};  ///< Own certificate for mTLS.
  bool tls13_only = false;
  std::size_t max_body = 64U << 20;
  std::size_t max_message = (4U << 20) + (64U << 10);  ///< Of a WebSocket.
};

/// Takes a response in pieces as they come.
struct StreamSink {
  std::function<bool(std::string_view)> on_piece;          ///< False ends it (Cancelled).
  std::function<void(const Response& head)> on_head = {};  ///< Before the first piece.
};

/// HTTP/1.1 client for one origin; keeps idle connections and reuses them.
///
/// Thread:  one shard.
/// Owner:   outlives the requests under way; a WebSocket may outlive it.
/// Errors:  Unavailable (refused, reset, DNS), Timeout, Denied (certificate), Corrupt (not HTTP),
///          Exhausted (body over the limit). A status of 400 or more is a Response, not an Error.
class Client {
 public:
  static Result<std::unique_ptr<Client>> make(boost::asio::any_io_executor executor, Url origin,
                                              ClientOptions options);
  virtual ~Client() = default;

  /// Sends the request (target, method, headers, body) and reads the whole response within
  /// `timeout`. A GET, HEAD, PUT, DELETE or OPTIONS that met a connection closed while idle is
  /// sent once more on a new one.
  virtual Task<Result<Response>> send(Request request, Micros timeout) = 0;
  /// Reads the response in pieces. `timeout` is the longest wait for the header, and then for
  /// each piece.
  virtual Task<Result<Response>> send_streaming(Request request, Micros timeout,
                                                StreamSink sink) = 0;
  /// Opens a WebSocket at `target`. `timeout` covers connecting and the handshake.
  virtual Task<Result<std::shared_ptr<WebSocket>>> websocket(std::string target,
                                                             std::string subprotocol,
                                                             Headers headers, Micros timeout) = 0;
};

}  // namespace infiniedge::runtime::http
