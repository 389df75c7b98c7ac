// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/client.hpp"

#include <algorithm>
#include <vector>

#include "runtime/http/client_connection.hpp"
#include "runtime/http/websocket.hpp"

namespace infiniedge::runtime::http {

namespace {

constexpr std::size_t kMaxIdle = 16;

bool is_idempotent(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

Micros left_until(std::chrono::steady_clock::time_point deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<Micros>(left), Micros{1});
}

class PooledClient final : public Client {
 public:
  explicit PooledClient(Origin origin) : origin_(std::move(origin)) {}

  Task<Result<Response>> send(Request request, Micros timeout) override {
    co_return co_await exchange(std::move(request), timeout, nullptr);
  }

  Task<Result<Response>> send_streaming(Request request, Micros timeout, StreamSink sink) override {
    co_return co_await exchange(std::move(request), timeout, &sink);
  }

  Task<Result<std::shared_ptr<WebSocket>>> websocket(std::string target, std::string subprotocol,
                                                     Headers headers, Micros timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    auto transport = co_await open_transport(origin_, timeout);
    if (!transport) co_return transport.error();
    const auto left = left_until(deadline);
    co_return co_await connect_websocket(std::move(*transport), origin_.host_header,
                                         std::move(target), std::move(subprotocol),
                                         std::move(headers), origin_.options.max_message, left);
  }

 private:
  using Connection = std::unique_ptr<ClientConnection>;

  Task<Result<Response>> exchange(Request request, Micros timeout, const StreamSink* sink) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    auto connection = take_idle();
    if (connection) {
      auto response = co_await connection->exchange(request, timeout, sink);
      // It was closed while idle, and nothing was answered: once more, on a new one.
      const bool again = !response && response.error().code() == Code::Unavailable &&
                         connection->unanswered() && is_idempotent(request.method);
      if (response) keep(std::move(connection));
      if (!again) co_return response;
    }
    auto transport = co_await open_transport(origin_, timeout);
    if (!transport) co_return transport.error();
    connection = std::make_unique<ClientConnection>(std::move(*transport), origin_);
    const auto left = left_until(deadline);
    auto response = co_await connection->exchange(request, sink != nullptr ? timeout : left, sink);
    if (response) keep(std::move(connection));
    co_return response;
  }

  Connection take_idle() {
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->reusable()) return connection;
    }
    return nullptr;
  }

  void keep(Connection connection) {
    if (idle_.size() < kMaxIdle && connection->reusable()) idle_.push_back(std::move(connection));
  }

  const Origin origin_;
  std::vector<Connection> idle_;  ///< The one used last is used first: it is the warmest.
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(boost::asio::any_io_executor, Url url,
                                             ClientOptions options) {
  Origin origin;
  origin.url = std::move(url);
  origin.options = std::move(options);
  const auto& parsed = origin.url;
  const bool v6 = parsed.host.find(':') != std::string::npos;
  const bool usual = (parsed.scheme == "http" && parsed.port == "80") ||
                     (parsed.scheme == "https" && parsed.port == "443");
  origin.host_header = v6 ? "[" + parsed.host + "]" : parsed.host;
  if (!usual) origin.host_header += ":" + parsed.port;
  if (parsed.scheme == "unix") origin.host_header = "localhost";
  if (!origin.options.fingerprint.empty()) {
    auto fingerprint = normalise_fingerprint(origin.options.fingerprint);
    if (!fingerprint) return fingerprint.error();
    if (parsed.scheme != "https") {
      return Error{Code::Invalid, "a fingerprint needs an https:// or wss:// address"};
    }
    origin.fingerprint = std::move(*fingerprint);
  }
  if (parsed.scheme == "https") {
    auto tls = make_client_tls(origin.options);
    if (!tls) return tls.error();
    origin.tls = std::move(*tls);
  }
  return std::make_unique<PooledClient>(std::move(origin));
}

}  // namespace infiniedge::runtime::http
