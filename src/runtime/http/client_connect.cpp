// SPDX-License-Identifier: Apache-2.0
// How a client gets a connection: resolve, connect, TLS and whom to trust.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "runtime/http/client_connection.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Endpoints = std::vector<Transport::Protocol::endpoint>;

Error about(const Origin& origin, std::string_view what, const Error& cause) {
  return {cause.code(), std::string(what) + " " + origin.name(), cause};
}

Task<Result<Endpoints>> resolve(const Origin& origin) {
  Endpoints out;
  if (origin.url.scheme == "unix") {
    out.emplace_back(asio::local::stream_protocol::endpoint(origin.url.host));
    co_return out;
  }
  boost::system::error_code name;
  const auto address = asio::ip::make_address(origin.url.host, name);
  if (!name) {
    std::uint16_t port = 0;
    const auto& text = origin.url.port;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (parsed.ec != std::errc{}) {
      co_return Error{Code::Invalid, "\"" + text + "\" is not a port"};
    }
    out.emplace_back(tcp::endpoint(address, port));
    co_return out;
  }
  tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [failed, found] = co_await resolver.async_resolve(origin.url.host, origin.url.port,
                                                         asio::as_tuple(asio::use_awaitable));
  if (failed == asio::error::operation_aborted) {
    co_return Error{Code::Cancelled, "the operation was cancelled"};
  }
  if (failed) {
    co_return Error{Code::Unavailable,
                    "cannot resolve host " + origin.url.host + ": " + failed.message()};
  }
  for (const auto& entry : found) out.emplace_back(entry.endpoint());
  co_return out;
}

Task<Result<void>> connect_any(Transport& transport, Endpoints endpoints) {
  Result<void> last = Error{Code::Unavailable, "the host name has no address"};
  for (const auto& endpoint : endpoints) {
    last = co_await transport.connect(endpoint);
    if (last || transport.timed_out() || last.error().code() == Code::Cancelled) break;
  }
  co_return last;
}

Result<void> check_pin(const Origin& origin, SSL* ssl) {
  if (origin.fingerprint.empty()) return {};
  const auto shown = peer_fingerprint(ssl);
  if (shown == origin.fingerprint) return {};
  return Error{Code::Denied, "the certificate of " + origin.name() + " has SHA-256 fingerprint " +
                                 shown + ", but " + origin.fingerprint +
                                 " is expected; if its certificate was renewed on purpose, "
                                 "configure the new fingerprint"};
}

}  // namespace

Task<Result<std::shared_ptr<Transport>>> open_transport(const Origin& origin, Micros timeout) {
  auto transport = std::make_shared<Transport>(co_await asio::this_coro::executor);
  transport->expire_after(timeout);
  auto endpoints = co_await resolve(origin);
  if (!endpoints) co_return endpoints.error();
  const auto connected = co_await connect_any(*transport, std::move(*endpoints));
  if (!connected) co_return about(origin, "cannot connect to", connected.error());
  if (origin.tls) {
    const auto secured = co_await transport->connect_tls(*origin.tls, origin.url.host);
    if (!secured) co_return about(origin, "no TLS with", secured.error());
    const auto pinned = check_pin(origin, transport->ssl());
    if (!pinned) co_return pinned.error();
  }
  transport->never_expire();
  co_return std::move(transport);
}

}  // namespace infiniedge::runtime::http
