// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/http/client.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::api::openai {

/// Where chat goes: any server that speaks OpenAI's API.
struct Upstream {
  std::string url{};  ///< "https://llm.plant:8443/v1"; empty: none, and nothing leaves.
  std::string key{};  ///< Bearer token for it; empty: none.
  std::string ca{};   ///< PEM file that signed it; empty: the system's.
  /// Model names of clients to those of the upstream. Not empty: no other name is passed on.
  std::map<std::string, std::string> aliases{};
};

/// POST /v1/chat/completions, passed to the upstream, whole or as events.
///
/// Unknown fields pass, the client's credentials never do. Events are handed on as they come; a
/// client that goes away ends the upstream's work with the next event.
///
/// Flow:    Door -> [Chat] -> upstream
/// Thread:  one shard.
/// Owner:   Door; close() before destruction.
/// Errors:  none leave it: a failure is a response.
class Chat {
 public:
  Chat(boost::asio::any_io_executor executor, Upstream upstream, runtime::Metrics& metrics);

  Task<runtime::http::Response> handle(runtime::http::Request request);
  const Upstream& upstream() const { return upstream_; }
  Task<void> close() { return scope_.close(); }

 private:
  struct Relay;

  Result<runtime::http::Client*> client();
  Result<runtime::http::Request> outgoing(const std::string& body, bool& streaming) const;
  Task<runtime::http::Response> stream(runtime::http::Request request);
  Task<void> pump(runtime::http::Request request, std::shared_ptr<Relay> relay);
  static Task<void> relay_to(std::shared_ptr<Relay> relay, std::shared_ptr<void> client,
                             std::shared_ptr<runtime::http::BodyWriter> writer);
  void meter(std::string_view json);

  Upstream upstream_;
  std::unique_ptr<runtime::http::Client> client_;
  runtime::Counter& prompt_;
  runtime::Counter& completion_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::api::openai
