// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/admin/door.hpp"
#include "api/auth.hpp"
#include "api/events.hpp"
#include "api/inference/door.hpp"
#include "api/openai/door.hpp"
#include "api/rpc/call.hpp"
#include "app/node/node.hpp"
#include "app/node/settings.hpp"
#include "app/node/world.hpp"
#include "runtime/http/server.hpp"

namespace infiniedge::app {

/// All HTTP doors of a process behind one address: authenticates, then passes on.
///
/// Flow:   client -> [Door] -> administration, inference, sync, console
/// Thread: the node's shard.
/// Owner:  serve(). What it refers to outlives it.
class Door final : public runtime::http::Handler {
 public:
  Door(World& world, Node& node, api::Auth& auth, api::Events& events,
       api::inference::ProtocolState& inference_state, const Settings& settings);

  Task<void> close() { return openai_.close(); }
  /// Known once the server listens; names the cookie.
  void set_port(std::uint16_t port) { port_ = port; }

  /// The same judgement for a gRPC call; nothing: it may go on.
  std::optional<api::rpc::Status> refuse_call(const api::rpc::Head& head, bool steers);

  Task<runtime::http::Response> handle(runtime::http::Request request) override;
  runtime::http::Response refuse(const runtime::http::Request& request, int status,
                                 std::string why) override;
  Task<std::optional<runtime::http::Response>> accept_websocket(
      const runtime::http::Request& request) override;
  std::string websocket_protocol(const runtime::http::Request& request) override;
  Task<void> serve(runtime::http::Request request,
                   std::shared_ptr<runtime::http::WebSocket> socket) override;

 private:
  Result<api::Principal> identify(const runtime::http::Request& request);
  Result<void> permit(const runtime::http::Request& request, const api::Principal& principal) const;
  runtime::http::Response console(const runtime::http::Request& request) const;

  Node& node_;
  api::Auth& auth_;
  api::admin::Door admin_;
  api::inference::Door inference_;
  api::openai::Door openai_;
  std::vector<std::string> hosts_;
  bool inference_open_;
  std::uint16_t port_ = 0;
};

}  // namespace infiniedge::app
