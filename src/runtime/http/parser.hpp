// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/http.hpp"

namespace infiniedge::runtime::http {

struct ParserLimits {
  std::size_t max_header = 64U << 10;
  std::size_t max_body = 64U << 20;
};

/// HTTP/1.x bytes into a Request or a Response, without a copy in between. Beast's parser inside.
///
/// Thread: one shard.
/// Owner:  a connection, which uses one parser for all its messages.
/// Errors: Corrupt, or Exhausted for a limit; status() is then the answer that fits.
class Parser {
 public:
  using Sink = std::function<bool(std::string_view)>;

  virtual ~Parser() = default;
  /// Takes bytes from the front and returns how many; the same bytes plus more must follow if
  /// not all were taken. Stops after the header and after the message.
  virtual Result<std::size_t> put(std::string_view bytes) = 0;
  /// The connection has ended: completes a body without a length. Errors: Corrupt if cut short.
  virtual Result<void> put_eof() = 0;

  virtual bool header_done() const = 0;
  virtual bool done() const = 0;
  virtual bool chunked() const = 0;
  virtual bool keep_alive() const = 0;
  virtual bool upgrade() const = 0;
  virtual bool http_1_0() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
  virtual int status() const = 0;
};

/// `reset` starts the next message; what is given must live until it is done.
class RequestParser : public Parser {
 public:
  static std::unique_ptr<RequestParser> make(ParserLimits limits);
  virtual void reset(Request& request, std::string& body) = 0;
};

class ResponseParser : public Parser {
 public:
  static std::unique_ptr<ResponseParser> make(ParserLimits limits);
  /// `head`: the request was HEAD, so there is no body whatever the header says. A `sink` gets
  /// the body in pieces instead of response.body; returning false ends it (Cancelled).
  virtual void reset(Response& response, bool head, const Sink* sink) = 0;
};

/// "Not Found"; "Unknown Status" for a number without a name.
std::string_view reason_of(int status);

}  // namespace infiniedge::runtime::http
