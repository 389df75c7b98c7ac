// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "runtime/http/tls.hpp"

namespace infiniedge::runtime::http {

Peer peer_of(Transport& transport) {
  Peer out;
  boost::system::error_code failed;
  const auto remote = transport.socket().remote_endpoint(failed);
  if (!failed && remote.data()->sa_family == AF_UNIX) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    const auto found = ::getsockopt(transport.socket().native_handle(), SOL_SOCKET, SO_PEERCRED,
                                    &credentials, &size);
    out.unix_trusted = found == 0 && (credentials.uid == ::geteuid() || credentials.uid == 0);
  } else if (!failed) {
    boost::asio::ip::tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), remote.data(), remote.size());
    out.address = endpoint.address().to_string();
  }
  out.tls = transport.ssl() != nullptr;
  out.client_names = peer_names(transport.ssl());
  return out;
}

}  // namespace infiniedge::runtime::http
