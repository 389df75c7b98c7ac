// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <string>

#include "infiniedge/result.hpp"

namespace infiniedge::runtime::http {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

struct Listening {
  Acceptor acceptor;
  std::uint16_t port = 0;   ///< 0 for a Unix socket.
  std::string unix_path{};  ///< To be removed when it closes.
};

/// Binds "host:port", "[v6]:port" or "unix:/path" and listens.
/// Errors: Unavailable for a taken port, naming the holder if /proc shows it; Exists for a socket
///         that is served; Denied; Invalid.
Result<Listening> listen_on(boost::asio::any_io_executor executor, const std::string& address);

}  // namespace infiniedge::runtime::http
