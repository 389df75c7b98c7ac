// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "infiniedge/result.hpp"
#include "runtime/http/client.hpp"

namespace infiniedge::app {

/// The running node, as the command line talks to it: blocking calls over its Unix socket or
/// over HTTP with a token.
///
/// Thread: the command's.
/// Errors: Unavailable when no node answers, with how to start one; the node's own problems with
///         their code and detail.
class NodeClient {
 public:
  struct Options {
    std::string node;  ///< "unix:/path", "http://host:port" or empty: $INFINIEDGE_NODE, sockets.
    std::string token_file, ca;
    std::string fingerprint;  ///< Of a self-signed node.
    Micros timeout{Seconds{30}};
  };

  static Result<std::unique_ptr<NodeClient>> open(const Options& options);

  Result<boost::json::value> get(const std::string& target);
  Result<boost::json::value> call(const std::string& method, const std::string& target,
                                  const std::string& body,
                                  const std::string& type = "application/json");
  /// The body as it is; a problem becomes an Error.
  Result<std::string> text(const std::string& method, const std::string& target,
                           const std::string& body, const std::string& accept);
  /// Lines of server-sent events (`event`, `data`) until `on_event` returns false or `limit` is
  /// over.
  Result<void> events(
      const std::string& target,
      const std::function<bool(const std::string& event, const std::string& data)>& on_event,
      std::optional<Micros> limit = {});
  /// The last problem's `errors`, as printed by a validator; empty if it had none.
  const std::string& problem_errors() const { return problem_errors_; }

 private:
  NodeClient(Options options) : options_(std::move(options)) {}
  runtime::http::Request request(const std::string& method, const std::string& target) const;
  Result<runtime::http::Response> send(runtime::http::Request request);
  Error problem(const runtime::http::Response& response);

  Options options_;
  std::string token_, where_;
  boost::asio::io_context context_;
  std::unique_ptr<runtime::http::Client> client_;
  std::string problem_errors_;
};

}  // namespace infiniedge::app
