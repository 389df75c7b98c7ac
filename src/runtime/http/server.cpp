// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/server.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "runtime/http/acceptors.hpp"
#include "runtime/http/server_connection.hpp"
#include "runtime/http/tls.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

Response Handler::refuse(const Request&, int status, std::string why) {
  Response response{.status = status, .body = std::move(why) + "\n"};
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  return response;
}

Task<std::optional<Response>> Handler::accept_websocket(const Request&) {
  Response response{.status = 404, .body = "there is no WebSocket at this path\n"};
  co_return response;
}

std::string Handler::websocket_protocol(const Request&) { return {}; }

Task<void> Handler::serve(Request, std::shared_ptr<WebSocket>) { co_return; }

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kLook{50};

class AsioServer final : public Server {
 public:
  AsioServer(asio::any_io_executor executor, Handler& handler, Options options)
      : handler_(handler),
        options_(options),
        drained_(executor),
        scope_(executor),
        acceptors_(scope_, [this](auto transport, auto tls) {
          accepted(std::move(transport), std::move(tls));
        }) {}

  Result<std::uint16_t> listen(const std::string& address, std::optional<TlsFiles> tls) override {
    TlsContext context;
    if (tls) {
      auto made = make_server_tls(*tls);
      if (!made) return made.error();
      context = *made;
    }
    return acceptors_.listen(address, std::move(context));
  }

  Task<void> close(Micros drain) override {
    // The caller may itself be cancelled; draining must finish all the same.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    closing_ = true;
    acceptors_.close();
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      (*connection++)->end_soon();
    }
    if (!connections_.empty()) {
      drained_.expires_after(drain);
      co_await drained_.async_wait(kAwait);
    }
    co_await scope_.close();
  }

 private:
  using Connections = std::list<std::shared_ptr<ServerConnection>>;

  void accepted(std::shared_ptr<Transport> transport, TlsContext tls) {
    if (connections_.size() >= options_.max_connections) {
      return turn_away(transport->socket(), tls != nullptr);
    }
    start(std::move(transport), std::move(tls));
  }

  void start(std::shared_ptr<Transport> transport, TlsContext tls) {
    const auto place = connections_.insert(
        connections_.end(),
        std::make_shared<ServerConnection>(std::move(transport), handler_, options_));
    scope_.spawn(serve(place, std::move(tls)));
    if (!watching_) scope_.spawn(watch_clients());
  }

  /// While there are connections: a look costs less than a read under way for every request.
  Task<void> watch_clients() {
    watching_ = true;
    asio::steady_timer pause(scope_.executor());
    while (!connections_.empty()) {
      pause.expires_after(kLook);
      auto [stopped] = co_await pause.async_wait(kAwait);
      if (stopped) break;
      for (auto next = connections_.begin(); next != connections_.end();) {
        const auto connection = *next++;  // A handler that is told may end it.
        connection->look_at_client();
      }
    }
    watching_ = false;
  }

  Task<void> serve(Connections::iterator place, TlsContext tls) {
    const Membership membership{*this, place};
    co_await (*place)->run(std::move(tls));
  }

  /// Leaves the list however the coroutine ends.
  struct Membership {
    AsioServer& server;
    Connections::iterator place;
    ~Membership() {
      server.connections_.erase(place);
      if (server.connections_.empty() && server.closing_) server.drained_.cancel();
    }
  };

  static void turn_away(Transport::Socket& socket, bool tls) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        "Content-Length: 26\r\n\r\ntoo many open connections\n";
    if (tls) return;
    ::send(socket.native_handle(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  Handler& handler_;
  const Options options_;
  Connections connections_;
  asio::steady_timer drained_;
  bool closing_ = false;
  bool watching_ = false;
  Scope scope_;
  Acceptors acceptors_;
};

}  // namespace

std::unique_ptr<Server> Server::make(asio::any_io_executor executor, Handler& handler,
                                     Options options) {
  return std::make_unique<AsioServer>(std::move(executor), handler, options);
}

}  // namespace infiniedge::runtime::http
