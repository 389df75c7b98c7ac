// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runtime/http/transport.hpp"

namespace infiniedge::runtime::http {

/// Who is at the other end of a connection.
struct Peer {
  std::string address{};      ///< IP address; empty on a Unix socket.
  bool unix_trusted = false;  ///< Same user, or root, on a Unix socket.
  bool tls = false;
  std::vector<std::string> client_names{};  ///< URIs and DNS names of a verified certificate.
};

/// After the handshake, if there is one.
Peer peer_of(Transport& transport);

}  // namespace infiniedge::runtime::http
