// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

namespace infiniedge::runtime::http {

namespace beast = boost::beast;
using beast::http::error;
using ErrorCode = beast::error_code;
using Length = boost::optional<std::uint64_t>;

namespace {

/// Where the pieces of one message go.
struct Target {
  Request* request = nullptr;
  Response* response = nullptr;
  std::string* body = nullptr;
  const Parser::Sink* sink = nullptr;
  bool bad_transfer_encoding = false;
  int version = 11;
};

template <bool IsRequest>
class Message final : public beast::http::basic_parser<IsRequest> {
 public:
  explicit Message(Target& target) : target_(target) {}

 private:
  Headers& headers() { return IsRequest ? target_.request->headers : target_.response->headers; }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, ErrorCode&) override {
    target_.version = version;
    target_.request->method = method;
    target_.request->target = target;
  }
  void on_response_impl(int code, beast::string_view, int version, ErrorCode&) override {
    target_.version = version;
    target_.response->status = code;
  }
  void on_field_impl(beast::http::field name, beast::string_view text, beast::string_view value,
                     ErrorCode&) override {
    // Trailers come after the body; nobody here asked for them.
    if (this->is_header_done()) return;
    // Any coding but chunked alone would leave the two sides of a proxy with different bodies.
    if (name == beast::http::field::transfer_encoding &&
        !beast::iequals(value, beast::string_view("chunked"))) {
      target_.bad_transfer_encoding = true;
    }
    headers().add(std::string(text), std::string(value));
  }
  void on_header_impl(ErrorCode& failed) override {
    if (target_.bad_transfer_encoding) failed = error::bad_transfer_encoding;
  }
  void on_body_init_impl(const Length&, ErrorCode&) override {}
  std::size_t on_body_impl(beast::string_view piece, ErrorCode& failed) override {
    take(piece, failed);
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece,
                                 ErrorCode& failed) override {
    take(piece, failed);
    return piece.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  void take(beast::string_view piece, ErrorCode& failed) {
    if (target_.sink == nullptr) {
      target_.body->append(piece);
    } else if (!(*target_.sink)(piece)) {
      failed = boost::system::errc::make_error_code(boost::system::errc::operation_canceled);
    }
  }

  Target& target_;
};

int status_for(ErrorCode code) {
  if (code == error::body_limit) return 413;
  if (code == error::header_limit) return 431;
  if (code == error::bad_transfer_encoding) return 501;
  if (code == error::bad_version) return 505;
  return 400;
}

template <class Base, bool IsRequest>
class BeastParser : public Base {
 public:
  explicit BeastParser(ParserLimits limits) : limits_(limits) {}

  Result<std::size_t> put(std::string_view bytes) override {
    std::size_t used = 0;
    ErrorCode failed;
    while (used < bytes.size() && !message_->is_done()) {
      const bool in_header = !message_->is_header_done();
      const auto n =
          message_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), failed);
      used += n;
      if (failed == error::need_more) break;
      if (failed) return refuse(failed);
      if (in_header && message_->is_header_done()) break;
    }
    return used;
  }
  Result<void> put_eof() override {
    ErrorCode failed;
    message_->put_eof(failed);
    if (failed) return refuse(failed);
    return {};
  }
  bool header_done() const override { return message_->is_header_done(); }
  bool done() const override { return message_->is_done(); }
  bool chunked() const override { return message_->chunked(); }
  bool keep_alive() const override { return message_->keep_alive(); }
  bool upgrade() const override { return message_->upgrade(); }
  bool http_1_0() const override { return target_.version < 11; }
  std::optional<std::uint64_t> content_length() const override {
    const auto length = message_->content_length();
    if (!length) return std::nullopt;
    return *length;
  }
  int status() const override { return status_; }

 protected:
  void start(Target target) {
    target_ = target;
    status_ = 0;
    message_.emplace(target_);
    message_->header_limit(static_cast<std::uint32_t>(limits_.max_header));
    message_->body_limit(limits_.max_body);
  }
  Message<IsRequest>& message() { return *message_; }

 private:
  Error refuse(ErrorCode failed) {
    status_ = status_for(failed);
    if (failed == boost::system::errc::operation_canceled) {
      return {Code::Cancelled, "the reader of the body has seen enough"};
    }
    if (status_ == 413) {
      return {Code::Exhausted, "the body is larger than " + std::to_string(limits_.max_body) +
                                   " bytes; send it in parts"};
    }
    if (status_ == 431) {
      return {Code::Exhausted,
              "the header is larger than " + std::to_string(limits_.max_header) + " bytes"};
    }
    return {Code::Corrupt, "malformed HTTP: " + failed.message()};
  }

  ParserLimits limits_;
  Target target_;
  std::optional<Message<IsRequest>> message_;
  int status_ = 0;
};

class BeastRequestParser final : public BeastParser<RequestParser, true> {
 public:
  using BeastParser::BeastParser;
  void reset(Request& request, std::string& body) override {
    start(Target{.request = &request, .body = &body});
  }
};

class BeastResponseParser final : public BeastParser<ResponseParser, false> {
 public:
  using BeastParser::BeastParser;
  void reset(Response& response, bool head, const Sink* sink) override {
    start(Target{.response = &response, .body = &response.body, .sink = sink});
    message().skip(head);
  }
};

}  // namespace

std::unique_ptr<RequestParser> RequestParser::make(ParserLimits limits) {
  return std::make_unique<BeastRequestParser>(limits);
}

std::unique_ptr<ResponseParser> ResponseParser::make(ParserLimits limits) {
  return std::make_unique<BeastResponseParser>(limits);
}

std::string_view reason_of(int status) {
  return beast::http::obsolete_reason(
      beast::http::int_to_status(static_cast<unsigned>(std::max(status, 0))));
}

}  // namespace infiniedge::runtime::http
