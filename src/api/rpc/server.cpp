// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/rpc/connection.hpp"

namespace infiniedge::api::rpc {

namespace http = runtime::http;
namespace asio = boost::asio;

Server::Server(asio::any_io_executor executor, Handler& handler, Limits limits)
    : handler_(handler),
      limits_(limits),
      budget_(std::make_shared<Budget>(limits.max_buffered)),
      drained_(executor),
      scope_(executor),
      acceptors_(scope_, [this](auto transport, auto tls) {
        accepted(std::move(transport), std::move(tls));
      }) {}

Server::~Server() = default;

Result<std::uint16_t> Server::listen(const std::string& address,
                                     std::optional<http::TlsFiles> tls) {
  http::TlsContext context;
  if (tls) {
    auto made = http::make_server_tls(*tls, http::Protocol::Http2);
    if (!made) return made.error();
    context = *made;
  }
  return acceptors_.listen(address, std::move(context));
}

void Server::accepted(std::shared_ptr<http::Transport> transport, http::TlsContext tls) {
  // One more than allowed is closed without a word: its client retries with a back-off.
  if (closing_ || connections_.size() >= limits_.max_connections) return;
  const auto place = connections_.insert(
      connections_.end(),
      std::make_shared<Connection>(std::move(transport), handler_, limits_, budget_));
  scope_.spawn(serve(place, std::move(tls)));
}

Task<void> Server::serve(Connections::iterator place, http::TlsContext tls) {
  // Leaves the list however the coroutine ends.
  struct Membership {
    Server& server;
    Connections::iterator at;
    ~Membership() {
      server.connections_.erase(at);
      if (server.connections_.empty() && server.closing_) server.drained_.cancel();
    }
  };
  const Membership membership{*this, place};
  co_await (*place)->run(std::move(tls));
}

Task<void> Server::close(Micros drain) {
  // The caller may itself be cancelled; draining must finish all the same.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  closing_ = true;
  acceptors_.close();
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    (*connection++)->end_soon();
  }
  if (!connections_.empty()) {
    drained_.expires_after(drain);
    co_await drained_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_await scope_.close();
}

}  // namespace infiniedge::api::rpc
