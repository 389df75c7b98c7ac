// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "runtime/http/client.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/tls.hpp"
#include "runtime/http/transport.hpp"

namespace infiniedge::runtime::http {

/// Where a client connects and whom it expects there.
struct Origin {
  Url url;
  ClientOptions options;
  TlsContext tls;           ///< Null: plain.
  std::string fingerprint;  ///< Normalised; empty: the chain decides.
  std::string host_header;  ///< "hub:8443".

  std::string name() const { return url.scheme == "unix" ? url.host : url.host + ":" + url.port; }
};

/// Resolves, connects, and does the TLS handshake with its checks, within `timeout`.
Task<Result<std::shared_ptr<Transport>>> open_transport(const Origin& origin, Micros timeout);

/// One kept connection of a client: one request at a time.
class ClientConnection {
 public:
  ClientConnection(std::shared_ptr<Transport> transport, const Origin& origin);

  /// `sink` (may be null) gets the body in pieces and turns `timeout` into one for each wait.
  Task<Result<Response>> exchange(const Request& request, Micros timeout, const StreamSink* sink);
  /// Nothing of the answer to the last request has come: it may be sent elsewhere.
  bool unanswered() const { return unanswered_; }
  bool reusable() const { return reusable_ && transport_->idle_and_open(); }

 private:
  Task<Result<void>> send(const Request& request);
  Task<Result<void>> receive(Response& response, bool head, Micros timeout, const StreamSink* sink);
  Task<Result<void>> receive_header(Response& response, bool head, const StreamSink* sink);
  Task<Result<void>> receive_body(Response& response, Micros timeout, const StreamSink* sink);
  Task<Result<void>> receive_sized(std::string& body, std::size_t length);
  Task<Result<void>> read_more();
  std::string_view buffered() const;
  void consume(std::size_t n);

  std::shared_ptr<Transport> transport_;
  const Origin& origin_;
  std::unique_ptr<ResponseParser> parser_;
  std::string head_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool unanswered_ = true;
  bool reusable_ = false;
};

}  // namespace infiniedge::runtime::http
