// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/client_connection.hpp"

#include <algorithm>
#include <cstring>

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kSmall = 16U << 10;
constexpr std::size_t kFirstBuffer = 8U << 10;
constexpr std::size_t kFirstBody = 64U << 10;
constexpr std::size_t kMaxHeader = 64U << 10;

bool may_have_body(std::string_view method) { return method != "GET" && method != "HEAD"; }

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

Result<void> check(const Request& request) {
  const auto blank = [](std::string_view text) {
    return text.empty() || text.find(' ') != std::string_view::npos || !is_clean(text);
  };
  if (blank(request.method) || blank(request.target)) {
    return Error{Code::Invalid, "the method or target of an HTTP request is empty or has blanks"};
  }
  for (const auto& [name, value] : request.headers.all()) {
    if (!is_clean(name) || !is_clean(value)) {
      return Error{Code::Invalid, "an HTTP header has a line break in it"};
    }
  }
  return {};
}

}  // namespace

ClientConnection::ClientConnection(std::shared_ptr<Transport> transport, const Origin& origin)
    : transport_(std::move(transport)),
      origin_(origin),
      parser_(ResponseParser::make({kMaxHeader, origin.options.max_body})) {
  transport_->set_patience(Micros{0});
}

Task<Result<Response>> ClientConnection::exchange(const Request& request, Micros timeout,
                                                  const StreamSink* sink) {
  unanswered_ = true;
  reusable_ = false;
  const auto checked = check(request);
  if (!checked) co_return checked.error();
  transport_->expire_after(timeout);
  const auto sent = co_await send(request);
  // A server may refuse a body before it has read it all: its answer is worth more than EPIPE.
  if (!sent && sent.error().code() != Code::Unavailable) co_return sent.error();
  Response response;
  const auto received = co_await receive(response, request.method == "HEAD", timeout, sink);
  if (!received) co_return sent ? received.error() : sent.error();
  transport_->never_expire();
  reusable_ = sent && parser_->keep_alive() && begin_ == end_;
  co_return std::move(response);
}

Task<Result<void>> ClientConnection::send(const Request& request) {
  head_.assign(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  if (!request.headers.has("host")) {
    head_.append("Host: ").append(origin_.host_header).append("\r\n");
  }
  for (const auto& [name, value] : request.headers.all()) {
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body->empty() || may_have_body(request.method)) {
    head_.append("Content-Length: ").append(std::to_string(request.body->size())).append("\r\n");
  }
  head_.append("\r\n");
  Transport::Buffers bytes{asio::buffer(head_)};
  if (request.body->size() <= kSmall) {
    head_.append(*request.body);
    bytes[0] = asio::buffer(head_);
  } else {
    bytes[1] = asio::buffer(*request.body);
  }
  co_return co_await transport_->write(bytes);
}

std::string_view ClientConnection::buffered() const {
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

void ClientConnection::consume(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
}

Task<Result<void>> ClientConnection::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ > 2 * kMaxHeader) {
    co_return Error{Code::Corrupt, "the server sends a header or chunk header without end"};
  }
  if (end_ == buffer_.size()) buffer_.resize(std::max(kFirstBuffer, buffer_.size() * 2));
  const auto n = co_await transport_->read_some({buffer_.data() + end_, buffer_.size() - end_});
  if (!n) co_return n.error();
  unanswered_ = false;
  end_ += *n;
  co_return Result<void>{};
}

Task<Result<void>> ClientConnection::receive(Response& response, bool head, Micros timeout,
                                             const StreamSink* sink) {
  while (true) {
    response = Response{};
    const auto header = co_await receive_header(response, head, sink);
    if (!header) co_return header.error();
    // 100 Continue and its like come before the answer; 101 is one.
    if (response.status < 100 || response.status >= 200 || response.status == 101) break;
  }
  if (sink != nullptr && sink->on_head) sink->on_head(response);
  if (parser_->done()) co_return Result<void>{};
  co_return co_await receive_body(response, timeout, sink);
}

Task<Result<void>> ClientConnection::receive_header(Response& response, bool head,
                                                    const StreamSink* sink) {
  parser_->reset(response, head, sink != nullptr ? &sink->on_piece : nullptr);
  while (true) {
    const auto used = parser_->put(buffered());
    if (!used) co_return used.error();
    consume(*used);
    if (parser_->header_done()) co_return Result<void>{};
    const auto more = co_await read_more();
    if (!more) co_return more.error();
  }
}

Task<Result<void>> ClientConnection::receive_body(Response& response, Micros timeout,
                                                  const StreamSink* sink) {
  const auto length = parser_->content_length();
  if (sink == nullptr && length && !parser_->chunked()) {
    co_return co_await receive_sized(response.body, static_cast<std::size_t>(*length));
  }
  while (true) {
    const auto used = parser_->put(buffered());
    if (!used) co_return used.error();
    consume(*used);
    if (parser_->done()) co_return Result<void>{};
    if (sink != nullptr) transport_->expire_after(timeout);
    const auto more = co_await read_more();
    if (more) continue;
    if (more.error().code() != Code::Unavailable) co_return more.error();
    co_return parser_->put_eof();
  }
}

/// Past the parser, straight into the body, which grows as bytes come.
Task<Result<void>> ClientConnection::receive_sized(std::string& body, std::size_t length) {
  const auto ready = buffered().substr(0, length);
  body.assign(ready);
  consume(ready.size());
  for (std::size_t have = body.size(); have < length;) {
    if (have == body.size()) body.resize(std::min(length, std::max(kFirstBody, have * 2)));
    const auto n = co_await transport_->read_some({body.data() + have, body.size() - have});
    if (!n) co_return n.error();
    have += *n;
  }
  co_return Result<void>{};
}

}  // namespace infiniedge::runtime::http
