// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/server_connection.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cstring>

#include "runtime/http/websocket.hpp"
#include "runtime/log.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kSmall = 16U << 10;
constexpr std::size_t kFirstBuffer = 8U << 10;
constexpr std::size_t kFirstBody = 64U << 10;
constexpr Micros kLinger = Seconds{2};

bool has_token(std::string_view list, std::string_view token) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  const auto found = std::search(list.begin(), list.end(), token.begin(), token.end(), same);
  return found != list.end();
}

}  // namespace

bool is_cancellation(const std::exception& error) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system != nullptr && system->code() == asio::error::operation_aborted;
}

ServerConnection::ServerConnection(std::shared_ptr<Transport> transport, Handler& handler,
                                   const Server::Options& options)
    : transport_(std::move(transport)),
      handler_(handler),
      options_(options),
      parser_(RequestParser::make({options.max_header, options.max_body})) {
  transport_->set_patience(options.header_timeout);
}

Task<void> ServerConnection::run(TlsContext tls) {
  try {
    if (co_await start(std::move(tls))) {
      while (co_await serve_one()) {
      }
    }
  } catch (const std::exception& error) {
    // Cancelled between two operations, or a WebSocket's handler failed.
    if (!is_cancellation(error)) {
      log(Level::Error, "runtime.http", "a connection's handler failed", {{"error", error.what()}});
    }
  }
  if (!handed_over_) transport_->close();
}

void ServerConnection::end_soon() {
  ending_ = true;
  if (idle_) transport_->cancel();
}

void ServerConnection::look_at_client() {
  if (answering_ && !gone_.stop_requested() && transport_->other_side_left()) gone_.request_stop();
}

Task<bool> ServerConnection::start(TlsContext tls) {
  if (tls) {
    transport_->expire_after(options_.header_timeout);
    if (!co_await transport_->accept_tls(*tls)) co_return false;
  }
  peer_ = peer_of(*transport_);
  co_return true;
}

Task<bool> ServerConnection::serve_one() {
  if (!co_await read_request()) co_return false;
  if (wants_websocket()) co_return co_await upgrade();
  // The handler may take as long as it needs; only the client's own slowness is timed.
  transport_->never_expire();
  method_ = request_.method;
  answering_ = true;
  auto response = co_await answer();
  answering_ = false;
  if (response.stream && method_ != "HEAD") co_return co_await write_stream(std::move(response));
  co_return co_await write_response(std::move(response));
}

Task<Response> ServerConnection::answer() {
  try {
    co_return co_await handler_.handle(std::move(request_));
  } catch (const std::exception& error) {
    if (is_cancellation(error)) throw;
    log(Level::Error, "runtime.http", "a handler failed", {{"error", error.what()}});
  }
  co_return Response{.status = 500, .body = "internal error; see the node's log\n"};
}

// --- Reading ---------------------------------------------------------------------------------

std::string_view ServerConnection::buffered() const {
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

void ServerConnection::consume(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
}

Task<bool> ServerConnection::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::max(kFirstBuffer, buffer_.size() * 2));
  const auto n = co_await transport_->read_some({buffer_.data() + end_, buffer_.size() - end_});
  if (!n) co_return false;
  end_ += *n;
  co_return true;
}

Task<bool> ServerConnection::read_request() {
  request_ = Request{};
  body_.clear();
  parser_->reset(request_, body_);
  if (!co_await read_header()) co_return false;
  request_.peer = peer_.address;
  request_.tls = peer_.tls;
  request_.unix_peer_trusted = peer_.unix_trusted;
  request_.client_names = peer_.client_names;
  request_.disconnected = gone_.get_token();
  if (!parser_->done() && !co_await read_body()) co_return false;
  if (!body_.empty()) request_.body = std::make_shared<const std::string>(std::move(body_));
  co_return true;
}

Task<bool> ServerConnection::read_header() {
  idle_ = end_ == begin_;
  transport_->expire_after(options_.header_timeout);
  while (true) {
    const auto used = parser_->put(buffered());
    if (!used) {
      Refusal refusal{parser_->status(), used.error().message()};
      co_await refuse(std::move(refusal));
      co_return false;
    }
    consume(*used);
    if (parser_->header_done()) break;
    if (end_ - begin_ > options_.max_header) {
      Refusal refusal{431, "the header is too large"};
      co_await refuse(std::move(refusal));
      co_return false;
    }
    if (ending_ && idle_) co_return false;
    if (!co_await read_more()) {
      Refusal refusal{408, "the header took too long to arrive"};
      if (!idle_ && transport_->timed_out()) co_await refuse(std::move(refusal));
      co_return false;
    }
    if (idle_) transport_->expire_after(options_.header_timeout);
    idle_ = false;
  }
  if (parser_->http_1_0() || request_.headers.has("host")) co_return true;
  Refusal refusal{400, "an HTTP/1.1 request must have a Host header"};
  co_await refuse(std::move(refusal));
  co_return false;
}

Task<bool> ServerConnection::invite_body() {
  if (parser_->http_1_0()) co_return true;
  if (!has_token(request_.headers.get("expect"), "100-continue")) co_return true;
  if (begin_ != end_) co_return true;  // It did not wait.
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const Transport::Buffers bytes{asio::buffer(kContinue)};
  const auto written = co_await transport_->write(bytes);
  co_return written.has_value();
}

Task<bool> ServerConnection::read_body() {
  if (!co_await invite_body()) co_return false;
  if (parser_->chunked()) co_return co_await read_chunks();
  const auto length = static_cast<std::size_t>(parser_->content_length().value_or(0));
  const auto ready = buffered().substr(0, length);
  body_.assign(ready);
  consume(ready.size());
  // Straight into the body. It grows as bytes come, so that a promise alone costs no memory.
  for (std::size_t have = body_.size(); have < length;) {
    if (have == body_.size()) body_.resize(std::min(length, std::max(kFirstBody, have * 2)));
    transport_->expire_after(options_.header_timeout);
    const auto n = co_await transport_->read_some({body_.data() + have, body_.size() - have});
    if (!n) co_return false;
    have += *n;
  }
  co_return true;
}

Task<bool> ServerConnection::read_chunks() {
  while (!parser_->done()) {
    const auto used = parser_->put(buffered());
    if (!used) {
      Refusal refusal{parser_->status(), used.error().message()};
      co_await refuse(std::move(refusal));
      co_return false;
    }
    consume(*used);
    if (parser_->done()) break;
    if (end_ - begin_ > options_.max_header) {
      Refusal refusal{400, "a chunk's header or the trailer is too large"};
      co_await refuse(std::move(refusal));
      co_return false;
    }
    transport_->expire_after(options_.header_timeout);
    if (!co_await read_more()) co_return false;
  }
  co_return true;
}

// --- Answering -------------------------------------------------------------------------------

Task<void> ServerConnection::refuse(Refusal refusal) {
  auto response = handler_.refuse(request_, refusal.status, std::move(refusal.why));
  method_.clear();
  ending_ = true;
  co_await write_response(std::move(response));
}

Task<bool> ServerConnection::write_response(Response response) {
  const bool keep_alive = !ending_ && parser_->header_done() && parser_->keep_alive();
  write_head(response, keep_alive);
  const bool bodiless = method_ == "HEAD" || response.status == 204 || response.status == 304;
  Transport::Buffers bytes{asio::buffer(head_)};
  // One record and one write for what is small; no copy for what is large.
  if (!bodiless && response.body.size() <= kSmall) {
    head_.append(response.body);
    bytes[0] = asio::buffer(head_);
  } else if (!bodiless) {
    bytes[1] = asio::buffer(response.body);
  }
  const auto written = co_await transport_->write(bytes);
  if (!written) co_return false;
  co_return co_await end_response(keep_alive);
}

Task<bool> ServerConnection::end_response(bool keep_alive) {
  if (keep_alive) co_return true;
  transport_->expire_after(kLinger);
  co_await transport_->finish();
  co_return false;
}

bool ServerConnection::wants_websocket() const {
  return parser_->upgrade() && request_.method == "GET" &&
         has_token(request_.headers.get("upgrade"), "websocket");
}

Task<bool> ServerConnection::upgrade() {
  transport_->never_expire();
  if (begin_ != end_) {
    Refusal refusal{400, "data came before the upgrade was accepted"};
    co_await refuse(std::move(refusal));
    co_return false;
  }
  method_ = request_.method;
  auto refused = co_await handler_.accept_websocket(request_);
  if (refused) co_return co_await write_response(std::move(*refused));
  auto socket = co_await accept_websocket(
      transport_, request_, handler_.websocket_protocol(request_), options_.max_message);
  if (!socket) co_return false;
  co_await handler_.serve(std::move(request_), *socket);
  (*socket)->close();
  handed_over_ = true;
  co_return false;
}

}  // namespace infiniedge::runtime::http
