// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "api/rpc/call.hpp"
#include "api/rpc/session.hpp"
#include "runtime/http/acceptors.hpp"

namespace infiniedge::api::rpc {

/// Answers calls. What a call throws becomes INTERNAL.
///
/// Thread: the server's shard.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Looks at a call before any of its messages is read; an answer ends it.
  virtual std::optional<Status> admit(const Head& head) = 0;
  /// Runs the call to its end. The coroutine is cancelled when the client gives up.
  virtual Task<Status> serve(Call& call) = 0;
};

class Connection;

/// A gRPC server: HTTP/2 with or without TLS, on TCP and Unix sockets.
///
/// Flow:    client -> [Server] -> Connection -> Session -> Call -> Handler
/// Thread:  one shard.
/// Owner:   app, or a test. The handler outlives it; close() before destruction.
/// Errors:  listen: Exists, Denied, Invalid, as for HTTP. A client that breaks HTTP/2 loses its
///          connection, the others go on.
class Server {
 public:
  Server(boost::asio::any_io_executor executor, Handler& handler, Limits limits);
  ~Server();

  /// "127.0.0.1:8001", "[::1]:0", or "unix:/path" (mode 0600). Returns the port really bound.
  Result<std::uint16_t> listen(const std::string& address,
                               std::optional<runtime::http::TlsFiles> tls = std::nullopt);
  /// Stops accepting, says GOAWAY, waits at most `drain` for the calls under way.
  Task<void> close(Micros drain);

  std::size_t connections() const { return connections_.size(); }
  /// Bytes of messages that are held for all connections.
  std::size_t buffered() const { return budget_->used(); }

 private:
  using Connections = std::list<std::shared_ptr<Connection>>;

  void accepted(std::shared_ptr<runtime::http::Transport> transport, runtime::http::TlsContext tls);
  Task<void> serve(Connections::iterator place, runtime::http::TlsContext tls);

  Handler& handler_;
  const Limits limits_;
  std::shared_ptr<Budget> budget_;
  Connections connections_;
  boost::asio::steady_timer drained_;
  bool closing_ = false;
  runtime::Scope scope_;
  runtime::http::Acceptors acceptors_;
};

}  // namespace infiniedge::api::rpc
