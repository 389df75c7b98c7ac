// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/http/server_connection.hpp"
#include "runtime/log.hpp"

namespace infiniedge::api::rpc {

namespace asio = boost::asio;
namespace http = runtime::http;
using runtime::Level;
using runtime::log;

namespace {

constexpr std::size_t kFirstBuffer = 16U << 10;
constexpr std::size_t kLargestBuffer = 256U << 10;
constexpr Micros kLinger = Seconds{2};

}  // namespace

Connection::Connection(std::shared_ptr<http::Transport> transport, Handler& handler,
                       const Limits& limits, std::shared_ptr<Budget> budget)
    : transport_(std::move(transport)),
      handler_(handler),
      limits_(limits),
      budget_(std::move(budget)),
      scope_(transport_->get_executor()) {}

Task<void> Connection::run(http::TlsContext tls) {
  try {
    if (co_await open(std::move(tls))) {
      co_await read_all();
      transport_->expire_after(kLinger);
      if (!broken_) co_await transport_->finish();
    }
  } catch (const std::exception& error) {
    if (!http::is_cancellation(error)) {
      log(Level::Error, "api.rpc", "a connection failed", {{"error", error.what()}});
    }
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (session_) session_->abandon();
  transport_->close();
  co_await scope_.close();
}

void Connection::end_soon() {
  if (session_) {
    session_->go_away();
  } else {
    transport_->cancel();
  }
}

Task<bool> Connection::open(http::TlsContext tls) {
  // Until the client has greeted us, writing does not move its deadline.
  transport_->set_patience(Micros{0});
  transport_->expire_after(limits_.handshake);
  if (tls && !co_await transport_->accept_tls(*tls)) co_return false;
  peer_ = http::peer_of(*transport_);
  output_.emplace(transport_->ssl() != nullptr);
  session_.emplace(transport_->get_executor(), limits_, budget_, peer_,
                   [this](const Head& head) { return handler_.admit(head); });
  session_->on_output = [this] { flush(); };
  scope_.spawn(watch());
  flush();
  co_return true;
}

Task<void> Connection::read_all() {
  buffer_.resize(kFirstBuffer);
  bool greeted = false;
  while (session_->alive() && !broken_) {
    const auto n = co_await transport_->read_some(buffer_);
    if (!n) break;
    receiving_ = true;
    const auto taken = session_->put({buffer_.data(), *n});
    start_calls();
    receiving_ = false;
    flush();
    if (!taken) break;
    if (!greeted && session_->greeted()) {
      greeted = true;
      transport_->set_patience(limits_.stall);
      transport_->never_expire();
    }
    // A client that sends much is read in larger pieces.
    if (*n == buffer_.size() && *n < kLargestBuffer) buffer_.resize(*n * 4);
  }
}

void Connection::start_calls() {
  for (auto& call : session_->take_ready()) {
    if (!call->gone()) call->handler_ = scope_.spawn(serve(call));
  }
}

Task<void> Connection::serve(std::shared_ptr<Call> call) {
  Status status{StatusCode::Internal, "internal error; see the node's log"};
  try {
    status = co_await handler_.serve(*call);
  } catch (const std::exception& error) {
    if (http::is_cancellation(error)) {
      status = {StatusCode::Cancelled, "the call was cancelled"};
    } else {
      log(Level::Error, "api.rpc", "a call failed",
          {{"path", call->head().path}, {"error", error.what()}});
    }
  }
  call->finish(std::move(status));
}

Task<void> Connection::watch() {
  const auto pause = limits_.stall / 2;
  asio::steady_timer timer(transport_->get_executor());
  while (true) {
    timer.expires_after(pause);
    const auto [failed] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (failed) co_return;
    session_->end_stalled(std::chrono::steady_clock::now() - limits_.stall);
  }
}

/// Sends what there is: at once if the socket takes it, else in the background.
void Connection::flush() {
  if (receiving_ || writing_ || broken_) return;
  writing_ = true;
  while (send_now()) {
  }
}

/// True if all was sent and there may be more.
bool Connection::send_now() {
  output_->clear();
  session_->collect(*output_);
  if (output_->empty()) {
    writing_ = false;
    if (!session_->alive()) transport_->cancel();  // Nothing more to say or to hear.
    return false;
  }
  const auto written = transport_->write_now(output_->buffers());
  if (written == output_->size()) return true;
  scope_.spawn(write_rest(written));
  return false;
}

Task<void> Connection::write_rest(std::size_t written) {
  auto buffers = output_->buffers();
  for (auto& buffer : buffers) {
    const auto part = std::min(written, buffer.size());
    buffer += part;
    written -= part;
  }
  const auto sent = co_await transport_->write_all(std::move(buffers));
  if (!sent) {
    broken_ = true;
    transport_->cancel();
    co_return;
  }
  writing_ = false;
  flush();
}

}  // namespace infiniedge::api::rpc
