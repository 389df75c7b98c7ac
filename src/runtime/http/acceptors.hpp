// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "runtime/http/listen.hpp"
#include "runtime/http/tls.hpp"
#include "runtime/http/transport.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::runtime::http {

/// The addresses that a server listens on.
///
/// Flow:   client -> [Acceptors] -> whoever speaks the protocol
/// Thread: the server's shard.
/// Owner:  the server, which closes `scope` before it dies.
class Acceptors {
 public:
  /// Gets each connection; `tls`: the handshake is to come, null without.
  using Accepted = std::function<void(std::shared_ptr<Transport> transport, TlsContext tls)>;

  Acceptors(Scope& scope, Accepted accepted) : scope_(scope), accepted_(std::move(accepted)) {}
  ~Acceptors() { close(); }
  Acceptors(const Acceptors&) = delete;
  Acceptors& operator=(const Acceptors&) = delete;

  /// The port really bound, 0 for a Unix socket. Errors: those of listen_on().
  Result<std::uint16_t> listen(const std::string& address, TlsContext tls);
  /// No more connections; Unix sockets are removed. Idempotent.
  void close();

 private:
  Task<void> accept_all(Listening& listener, TlsContext tls);

  Scope& scope_;
  Accepted accepted_;
  std::list<Listening> listeners_;
  bool closing_ = false;
};

}  // namespace infiniedge::runtime::http
