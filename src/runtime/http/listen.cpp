// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/listen.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "runtime/http/port_holder.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

Result<asio::ip::tcp::endpoint> parse(const std::string& address) {
  const auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") host = "127.0.0.1";
  unsigned port = 65536;
  if (colon != std::string::npos) {
    const auto* end = address.data() + address.size();
    const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end) port = 65536;
  }
  error_code failed;
  const auto ip = asio::ip::make_address(host, failed);
  if (failed || port > 65535) {
    return Error{Code::Invalid, "cannot listen on \"" + address +
                                    "\": write it like 127.0.0.1:8000, [::1]:8000 or unix:/path"};
  }
  return asio::ip::tcp::endpoint(ip, static_cast<std::uint16_t>(port));
}

Error refused(const std::string& address, std::uint16_t port, error_code why) {
  if (why == asio::error::address_in_use) {
    const auto holder = port_holder(port);
    const auto by = holder.empty() ? "another process" : holder;
    const auto host = address.substr(0, address.rfind(':'));
    return {Code::Unavailable, "port " + std::to_string(port) + " of " + address + " is taken by " +
                                   by + "; stop it, or let the system choose a port: --http " +
                                   host + ":0"};
  }
  if (why == asio::error::access_denied) {
    return {Code::Denied, "not allowed to listen on " + address +
                              "; ports below 1024 need root or CAP_NET_BIND_SERVICE"};
  }
  return {Code::Invalid, "cannot listen on " + address + ": " + why.message()};
}

Result<Listening> listen_tcp(asio::any_io_executor executor, const std::string& address) {
  const auto endpoint = parse(address);
  if (!endpoint) return endpoint.error();
  Acceptor acceptor(executor);
  error_code failed;
  acceptor.open(endpoint->protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor.bind(*endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return refused(address, endpoint->port(), failed);
  asio::ip::tcp::endpoint bound;
  const auto local = acceptor.local_endpoint(failed);
  std::memcpy(bound.data(), local.data(), local.size());
  return Listening{.acceptor = std::move(acceptor), .port = bound.port()};
}

/// True if a process answers there; a socket left by a crash does not.
bool is_served(const asio::local::stream_protocol::endpoint& endpoint) {
  asio::io_context context;
  asio::local::stream_protocol::socket probe(context);
  error_code failed;
  probe.connect(endpoint, failed);
  return !failed || failed == asio::error::try_again;
}

Result<void> remove_left_over(const std::string& path,
                              const asio::local::stream_protocol::endpoint& endpoint) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return Error{Code::Exists, path + " exists and is not a socket; choose another path"};
  }
  if (is_served(endpoint)) {
    return Error{Code::Exists,
                 "another process serves the socket " + path + "; stop it or choose another path"};
  }
  ::unlink(path.c_str());
  return {};
}

Result<Listening> listen_unix(asio::any_io_executor executor, const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{Code::Invalid, "the socket path \"" + path + "\" must have 1 to 107 bytes"};
  }
  const asio::local::stream_protocol::endpoint endpoint(path);
  INFINIEDGE_TRY(remove_left_over(path, endpoint));
  Acceptor acceptor(executor);
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  // Between bind and listen nobody can connect, so the mode is never too wide.
  if (!failed && ::chmod(path.c_str(), 0600) != 0) {
    failed.assign(errno, boost::system::system_category());
  }
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed == asio::error::access_denied) {
    return Error{Code::Denied, "not allowed to create the socket " + path};
  }
  if (failed) {
    return Error{Code::Invalid, "cannot create the socket " + path + ": " + failed.message()};
  }
  return Listening{.acceptor = std::move(acceptor), .port = 0, .unix_path = path};
}

}  // namespace

Result<Listening> listen_on(asio::any_io_executor executor, const std::string& address) {
  if (address.starts_with("unix:")) return listen_unix(executor, address.substr(5));
  return listen_tcp(executor, address);
}

}  // namespace infiniedge::runtime::http
