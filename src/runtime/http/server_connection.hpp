// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "runtime/http/parser.hpp"
#include "runtime/http/peer.hpp"
#include "runtime/http/server.hpp"
#include "runtime/http/tls.hpp"
#include "runtime/http/transport.hpp"

namespace infiniedge::runtime::http {

/// One client's connection: reads requests in order, answers each, until either side ends it.
///
/// Thread: the server's shard.
/// Owner:  shared by the server's list and its own coroutine.
/// Errors: none leave; what is wrong with the client's bytes is answered to the client.
class ServerConnection {
 public:
  ServerConnection(std::shared_ptr<Transport> transport, Handler& handler,
                   const Server::Options& options);

  Task<void> run(TlsContext tls);
  /// Ends now if no request is under way, else after its response.
  void end_soon();
  /// Tells a handler under way if its client has gone. Called now and then by the server.
  void look_at_client();

 private:
  struct Refusal {
    int status;
    std::string why;
  };

  Task<bool> start(TlsContext tls);
  Task<bool> serve_one();
  Task<bool> read_request();
  Task<bool> read_header();
  Task<bool> read_body();
  Task<bool> read_chunks();
  Task<bool> read_more();
  Task<bool> invite_body();
  Task<void> refuse(Refusal refusal);
  Task<bool> upgrade();
  Task<Response> answer();
  Task<bool> write_response(Response response);
  Task<bool> write_stream(Response response);
  Task<void> watch_client();
  Task<bool> end_response(bool keep_alive);

  bool wants_websocket() const;
  void write_head(const Response& response, bool keep_alive);
  std::string_view buffered() const;
  void consume(std::size_t n);

  std::shared_ptr<Transport> transport_;
  Handler& handler_;
  const Server::Options& options_;
  std::unique_ptr<RequestParser> parser_;

  std::string buffer_;  ///< Bytes read and not yet used: [begin_, end_).
  std::size_t begin_ = 0, end_ = 0;
  std::string head_;  ///< Reused for every response.

  Request request_;
  std::string body_;
  std::string method_;
  Peer peer_;

  std::stop_source gone_;  ///< One for all requests: there is none after the client has gone.
  bool answering_ = false;
  bool idle_ = true;
  bool ending_ = false;
  bool client_gone_ = false;
  bool handed_over_ = false;  ///< To a WebSocket, which closes it.
};

/// True for what Asio throws into a coroutine that was cancelled.
bool is_cancellation(const std::exception& error);

}  // namespace infiniedge::runtime::http
