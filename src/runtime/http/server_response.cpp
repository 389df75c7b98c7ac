// SPDX-License-Identifier: Apache-2.0
// The writing half of ServerConnection: heads and streamed bodies.
#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "runtime/http/server_connection.hpp"
#include "runtime/log.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxQueued = 1U << 20;

void append_number(std::string& out, std::size_t value, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), end);
}

bool equal_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// Framing belongs to the connection; a handler cannot contradict it.
bool is_framing(std::string_view name) {
  return equal_name(name, "content-length") || equal_name(name, "connection") ||
         equal_name(name, "transfer-encoding");
}

/// A value that came from outside must not be able to start another header.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  const auto start = out.size();
  out.append(name).append(": ").append(value);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  out.append("\r\n");
}

class StreamWriter final : public BodyWriter {
 public:
  StreamWriter(std::shared_ptr<Transport> transport, bool chunked)
      : transport_(std::move(transport)), chunked_(chunked) {}

  Task<Result<void>> write(std::string piece) override {
    if (!transport_) co_return gone();
    if (piece.empty()) co_return Result<void>{};  // An empty chunk would end the body.
    if (!pending_.empty() && pending_.size() + piece.size() > kMaxQueued) {
      co_return Error{Code::Exhausted, "the client reads too slowly: 1 MiB is queued"};
    }
    frame(piece);
    if (writing_) co_return Result<void>{};
    writing_ = true;
    Result<void> written;
    while (written && transport_ && !pending_.empty()) {
      sending_.swap(pending_);
      pending_.clear();
      const Transport::Buffers bytes{asio::buffer(sending_)};
      written = co_await transport_->write(bytes);
    }
    writing_ = false;
    if (!written) transport_.reset();
    if (!written) co_return gone();
    co_return Result<void>{};
  }

  /// The response is over; a handler that kept the writer finds the client gone.
  void detach() { transport_.reset(); }
  bool broken() const { return !transport_; }

 private:
  static Error gone() { return {Code::Unavailable, "the client has gone"}; }

  void frame(std::string_view piece) {
    if (chunked_) {
      append_number(pending_, piece.size(), 16);
      pending_.append("\r\n").append(piece).append("\r\n");
    } else {
      pending_.append(piece);
    }
  }

  std::shared_ptr<Transport> transport_;
  std::string pending_, sending_;
  bool chunked_;
  bool writing_ = false;
};

using StreamFn = std::function<Task<void>(std::shared_ptr<BodyWriter>)>;

/// True if the handler wrote the body to its end. Never throws: its sibling would outlive it.
Task<bool> run_stream(const StreamFn& stream, std::shared_ptr<BodyWriter> writer) {
  try {
    co_await stream(std::move(writer));
    co_return true;
  } catch (const std::exception& error) {
    if (!is_cancellation(error)) {
      log(Level::Error, "runtime.http", "a handler failed within a streamed response",
          {{"error", error.what()}});
    }
  }
  co_return false;
}

}  // namespace

void ServerConnection::write_head(const Response& response, bool keep_alive) {
  head_.assign("HTTP/1.1 ");
  append_number(head_, static_cast<std::size_t>(std::clamp(response.status, 100, 999)));
  head_.append(" ").append(reason_of(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers.all()) {
    if (!is_framing(name)) append_field(head_, name, value);
  }
  if (response.stream) {
    if (!parser_->http_1_0()) head_.append("Transfer-Encoding: chunked\r\n");
  } else if (response.status != 204 && response.status != 304) {
    head_.append("Content-Length: ");
    append_number(head_, response.body.size());
    head_.append("\r\n");
  }
  if (!keep_alive) {
    head_.append("Connection: close\r\n");
  } else if (parser_->http_1_0()) {
    head_.append("Connection: keep-alive\r\n");
  }
  head_.append("\r\n");
}

Task<bool> ServerConnection::write_stream(Response response) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: for one ||
  const bool chunked = !parser_->http_1_0();
  const bool keep_alive = chunked && !ending_ && parser_->keep_alive();
  write_head(response, keep_alive);
  const Transport::Buffers head{asio::buffer(head_)};
  if (!co_await transport_->write(head)) co_return false;

  auto writer = std::make_shared<StreamWriter>(transport_, chunked);
  client_gone_ = false;
  const auto first = co_await (run_stream(response.stream, writer) || watch_client());
  const bool complete = first.index() == 0 && std::get<0>(first) && !client_gone_;
  const bool broken = writer->broken();
  writer->detach();
  // Without its last chunk the client knows that the body is not whole.
  if (!complete || broken) co_return false;
  if (chunked) {
    constexpr std::string_view kLast = "0\r\n\r\n";
    const Transport::Buffers last{asio::buffer(kLast)};
    if (!co_await transport_->write(last)) co_return false;
  }
  co_return co_await end_response(keep_alive);
}

Task<void> ServerConnection::watch_client() {
  // What the client pipelines meanwhile is kept for its turn, up to a bound.
  while (end_ - begin_ < options_.max_header) {
    if (co_await read_more()) continue;
    // Cancelled because the response is complete, or the client really left.
    const auto state = co_await asio::this_coro::cancellation_state;
    client_gone_ = state.cancelled() == asio::cancellation_type::none;
    co_return;
  }
  asio::steady_timer never(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace infiniedge::runtime::http
