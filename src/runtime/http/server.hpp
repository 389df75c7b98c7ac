// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/http/http.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::runtime::http {

/// Answers requests. Exceptions never leave it.
///
/// Thread: the server's shard.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Task<Response> handle(Request request) = 0;
  /// The answer to a request that could not be read whole: what was read of it, a status such as
  /// 400, 413 or 431, and a sentence. The connection closes behind it.
  virtual Response refuse(const Request& request, int status, std::string why);
  /// Called instead of handle() when the client asks for an upgrade to WebSocket; returns
  /// nothing to accept (then serve() is called), or the response that refuses it.
  virtual Task<std::optional<Response>> accept_websocket(const Request& request);
  /// Subprotocol to announce, e.g. "infiniedge.sync.v1".
  virtual std::string websocket_protocol(const Request& request);
  /// Runs the connection to its end.
  virtual Task<void> serve(Request request, std::shared_ptr<WebSocket> socket);
};

struct TlsFiles {
  std::string cert, key;    ///< PEM paths.
  std::string client_ca{};  ///< If set, clients must show a certificate of this CA.
  /// With client_ca: a client without a certificate is let in (it has a token, say); one with
  /// a certificate of another CA is not.
  bool client_optional = false;
  bool tls13_only = false;
};

/// An HTTP/1.1 server with WebSocket: keep-alive, chunked bodies, Expect: 100-continue.
///
/// Flow:    client -> [Server] -> Handler
/// Thread:  one shard.
/// Owner:   app. The handler outlives the server; close() before destruction.
/// Errors:  listen: Unavailable when the port is taken (the message names the holder and how to
///          choose another), Exists for a socket that is served, Denied, Invalid. A bad request
///          gets 400 with a sentence and the connection closes; the others go on.
class Server {
 public:
  struct Options {
    std::size_t max_body = 64U << 20;                    ///< Larger: 413.
    std::size_t max_header = 64U << 10;                  ///< Larger: 431.
    std::size_t max_message = (4U << 20) + (64U << 10);  ///< Of a WebSocket; larger closes it.
    std::size_t max_connections = 1024;                  ///< One more: 503.
    /// To send a header (slow-loris), idle keep-alive, and each piece of a body either way.
    Micros header_timeout{Seconds{30}};
  };

  static std::unique_ptr<Server> make(boost::asio::any_io_executor executor, Handler& handler,
                                      Options options);
  virtual ~Server() = default;

  /// "127.0.0.1:8000", "[::1]:0", or "unix:/path" (mode 0600). Returns the port really bound
  /// (0 for a Unix socket). May be called for several addresses.
  virtual Result<std::uint16_t> listen(const std::string& address,
                                       std::optional<TlsFiles> tls = std::nullopt) = 0;
  /// Stops accepting, ends connections after their current response, waits at most `drain`.
  virtual Task<void> close(Micros drain) = 0;
};

/// Writes a P-256 key and a self-signed certificate for `names` (DNS names, IP addresses, URIs)
/// as PEM, mode 0600, and returns the certificate's SHA-256 fingerprint in hex.
Result<std::string> make_self_signed(const std::vector<std::string>& names, const TlsFiles& files);

}  // namespace infiniedge::runtime::http
