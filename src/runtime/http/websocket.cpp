// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/websocket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace infiniedge::runtime::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using ErrorCode = boost::system::error_code;

// How Beast ends a connection of ours; found by argument-dependent lookup.
void beast_close_socket(Transport& transport) { transport.close(); }

template <class Handler>
void async_teardown(beast::role_type, Transport& transport, Handler&& handler) {
  transport.close();
  asio::post(transport.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), ErrorCode{}));
}

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kHandshake = std::chrono::seconds(10);
constexpr auto kIdle = std::chrono::seconds(60);
constexpr std::size_t kWriteBuffer = 64U << 10;

Error to_error(ErrorCode code) {
  if (code == asio::error::operation_aborted) {
    return {Code::Cancelled, "the operation was cancelled"};
  }
  if (code == beast::error::timeout) {
    return {Code::Timeout, "the WebSocket's other side is silent"};
  }
  if (code == websocket::error::message_too_big || code == websocket::error::buffer_overflow) {
    return {Code::Corrupt, "a WebSocket message is over the limit"};
  }
  if (code == websocket::error::closed || code == asio::error::eof ||
      code.category() != websocket::make_error_code(websocket::error::closed).category()) {
    return {Code::Unavailable, "the WebSocket is closed: " + code.message()};
  }
  return {Code::Corrupt, "malformed WebSocket frame: " + code.message()};
}

class BeastSocket final : public WebSocket, public std::enable_shared_from_this<BeastSocket> {
 public:
  BeastSocket(std::shared_ptr<Transport> transport, std::size_t max_message)
      : transport_(std::move(transport)), stream_(*transport_) {
    transport_->never_expire();
    limit_handshake(kHandshake);
    stream_.read_message_max(max_message);
    stream_.write_buffer_bytes(kWriteBuffer);
    stream_.auto_fragment(false);
    stream_.binary(true);
  }

  /// Also how long a close may take.
  void limit_handshake(Micros limit) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout =
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit);
    timeout.idle_timeout = kIdle;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
  }

  Task<Result<void>> accept(const Request& request, std::string protocol) {
    beast::http::request<beast::http::empty_body> upgrade;
    upgrade.method(beast::http::verb::get);
    upgrade.target(request.target);
    for (const auto& [name, value] : request.headers.all()) upgrade.insert(name, value);
    stream_.set_option(
        websocket::stream_base::decorator([protocol](websocket::response_type& response) {
          response.erase(beast::http::field::server);
          if (!protocol.empty()) {
            response.set(beast::http::field::sec_websocket_protocol, protocol);
          }
        }));
    auto [failed] = co_await stream_.async_accept(upgrade, kAwait);
    if (failed) co_return to_error(failed);
    co_return Result<void>{};
  }

  Task<Result<void>> handshake(std::string host, std::string target, std::string protocol,
                               Headers headers) {
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      request.erase(beast::http::field::user_agent);
      if (!protocol.empty()) request.set(beast::http::field::sec_websocket_protocol, protocol);
      for (const auto& [name, value] : headers.all()) request.set(name, value);
    }));
    websocket::response_type response;
    auto [failed] = co_await stream_.async_handshake(response, host, target, kAwait);
    if (failed == websocket::error::upgrade_declined) co_return declined(response);
    if (failed) co_return to_error(failed);
    const auto chosen = response[beast::http::field::sec_websocket_protocol];
    if (chosen == protocol) co_return Result<void>{};
    co_return Error{Code::Unsupported, "the server does not speak WebSocket subprotocol " +
                                           protocol + " (it chose \"" + std::string(chosen) +
                                           "\")"};
  }

  Task<Result<void>> send(std::string message) override {
    auto [failed, n] = co_await stream_.async_write(asio::buffer(message), kAwait);
    if (failed) co_return to_error(failed);
    co_return Result<void>{};
  }

  Task<Result<std::string>> receive() override {
    std::string message;
    auto buffer = asio::dynamic_buffer(message);
    auto [failed, n] = co_await stream_.async_read(buffer, kAwait);
    if (failed) co_return to_error(failed);
    co_return std::move(message);
  }

  void close() override {
    if (closing_) return;
    closing_ = true;
    // The socket owns itself until the close frame has gone or the handshake timeout ends it.
    stream_.async_close(websocket::close_code::normal,
                        [self = shared_from_this()](ErrorCode) { self->transport_->close(); });
  }

 private:
  static Error declined(const websocket::response_type& response) {
    const auto status = response.result_int();
    const auto code = status == 401 || status == 403 ? Code::Denied
                      : status == 404                ? Code::NotFound
                                                     : Code::Unavailable;
    const auto body = response.body().substr(0, 300);
    return {code, "the server answered the WebSocket upgrade with status " +
                      std::to_string(status) + (body.empty() ? "" : ": " + body)};
  }

  std::shared_ptr<Transport> transport_;
  websocket::stream<Transport&, false> stream_;
  bool closing_ = false;
};

}  // namespace

Task<Result<std::shared_ptr<WebSocket>>> accept_websocket(std::shared_ptr<Transport> transport,
                                                          const Request& request,
                                                          std::string protocol,
                                                          std::size_t max_message) {
  auto socket = std::make_shared<BeastSocket>(std::move(transport), max_message);
  const auto accepted = co_await socket->accept(request, std::move(protocol));
  if (!accepted) co_return accepted.error();
  co_return std::shared_ptr<WebSocket>(std::move(socket));
}

Task<Result<std::shared_ptr<WebSocket>>> connect_websocket(std::shared_ptr<Transport> transport,
                                                           std::string host, std::string target,
                                                           std::string protocol, Headers headers,
                                                           std::size_t max_message,
                                                           Micros timeout) {
  auto socket = std::make_shared<BeastSocket>(std::move(transport), max_message);
  socket->limit_handshake(timeout);
  const auto done = co_await socket->handshake(std::move(host), std::move(target),
                                               std::move(protocol), std::move(headers));
  if (!done) co_return done.error();
  socket->limit_handshake(kHandshake);
  co_return std::shared_ptr<WebSocket>(std::move(socket));
}

}  // namespace infiniedge::runtime::http
