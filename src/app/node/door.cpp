// SPDX-License-Identifier: Apache-2.0
#include "app/node/door.hpp"

#include "api/inference/reply.hpp"
#include "api/openai/problem.hpp"
#include "api/problem.hpp"
#include "app/console/assets.hpp"
#include "sync/frame.hpp"

namespace infiniedge::app {

namespace http = runtime::http;

namespace {

bool inference_path(std::string_view path) { return api::inference::Door::owns(path); }

/// Inference clients compare error bodies and their type to the letter.
http::Response refusal(const Error& error, std::string_view path, bool with_credential) {
  if (api::openai::Door::owns(path)) return api::openai::problem(error, {}, with_credential);
  auto response = api::problem(error, with_credential);
  if (!inference_path(path)) return response;
  response.headers.set("content-type", "application/json");
  response.body = api::inference::error_reply(response.status, error.message()).body;
  return response;
}

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

}  // namespace

Door::Door(World& world, Node& node, api::Auth& auth, api::Events& events,
           api::inference::ProtocolState& inference_state, const Settings& settings)
    : node_(node),
      auth_(auth),
      admin_(node, auth, events),
      inference_(api::inference::Door::Parts{node.models(), inference_state, world.compute,
                                             node.process_metrics()}),
      openai_({world.shard.executor(), node.models(), world.query, world.metrics}, settings.openai),
      hosts_(settings.hosts),
      inference_open_(settings.inference_open) {}

/// Who asks. Where the inference door is open, local programs need no credential; a page in a
/// local browser is no such program.
Result<api::Principal> Door::identify(const http::Request& request) {
  const bool open = inference_open_ && inference_path(request.path()) &&
                    is_loopback(request.peer) && !request.headers.has("authorization") &&
                    !request.headers.has("origin");
  if (open) return api::Principal{.name = "local", .role = api::Role::Operator};
  return auth_.identify(request, port_);
}

Result<void> Door::permit(const http::Request& request, const api::Principal& principal) const {
  const auto path = request.path();
  // A node may ask teachers and deliver rows, nothing else.
  if (principal.role == api::Role::Node && !inference_path(path)) {
    return Error{Code::Denied, "the role node may not do this"};
  }
  if (!inference_path(path)) return {};
  if (principal.cookie && request.method != "GET" && !api::own_origin(request)) {
    return Error{Code::Denied, "a page of another origin may not do this"};
  }
  if (api::inference::Door::steers(request) && !principal.at_least(api::Role::Operator)) {
    return Error{Code::Denied, "this changes the server: it needs the role operator"};
  }
  return {};
}

std::optional<api::rpc::Status> Door::refuse_call(const api::rpc::Head& head, bool steers) {
  http::Request request{.method = "POST", .target = "/v2"};
  request.peer = head.peer->address;
  request.tls = head.peer->tls;
  request.unix_peer_trusted = head.peer->unix_trusted;
  request.client_names = head.peer->client_names;
  if (const auto value = head.get("authorization"); !value.empty()) {
    request.headers.add("authorization", std::string{value});
  }
  const auto principal = identify(request);
  if (!principal) {
    auto status = api::rpc::status_of(principal.error());
    if (principal.error().code() == Code::Denied) {
      status.code = api::rpc::StatusCode::Unauthenticated;
    }
    return status;
  }
  if (!steers || principal->at_least(api::Role::Operator)) return std::nullopt;
  return api::rpc::Status{api::rpc::StatusCode::PermissionDenied,
                          "this changes the server: it needs the role operator"};
}

http::Response Door::refuse(const http::Request& request, int status, std::string why) {
  if (!inference_path(request.path())) return Handler::refuse(request, status, std::move(why));
  // Triton's tests assert 400 for a body that is too large.
  return api::inference::error_reply(status == 413 ? 400 : status, why);
}

Task<http::Response> Door::handle(http::Request request) {
  const std::string path{request.path()};
  if (!api::own_host(request, hosts_)) {
    auto response = api::problem(
        Error{Code::Denied, "the Host header names another machine; add it to `hosts`"});
    response.status = 421;
    co_return response;
  }
  if (path == "/api/v1/session") co_return admin_.open_session(request, port_);
  const bool page = !api::admin::Door::owns(path) && !inference_path(path) &&
                    !api::openai::Door::owns(path) && path != sync::kPath;
  if (page) co_return console(request);
  api::Principal principal;
  if (!api::admin::Door::open_to_all(path) && !api::inference::Door::is_open(path)) {
    auto identified = identify(request);
    if (!identified) co_return refusal(identified.error(), path, false);
    principal = std::move(*identified);
    if (const auto allowed = permit(request, principal); !allowed) {
      co_return refusal(allowed.error(), path, true);
    }
  }
  if (inference_path(path)) co_return co_await inference_.handle(std::move(request));
  if (api::openai::Door::owns(path)) co_return co_await openai_.handle(std::move(request));
  co_return co_await admin_.handle(std::move(request), std::move(principal));
}

Task<std::optional<http::Response>> Door::accept_websocket(const http::Request& request) {
  if (request.path() != sync::kPath) {
    co_return api::problem(Error{Code::NotFound, "only /v1/sync speaks WebSocket"});
  }
  const auto principal = auth_.identify(request, port_);
  if (!principal) co_return api::problem(principal.error(), false);
  const bool allowed = principal->role == api::Role::Node || principal->role == api::Role::Admin;
  if (!allowed) co_return api::problem(Error{Code::Denied, "delivering rows needs the role node"});
  co_return std::nullopt;
}

std::string Door::websocket_protocol(const http::Request&) {
  return std::string{sync::kSubprotocol};
}

Task<void> Door::serve(http::Request request, std::shared_ptr<http::WebSocket> socket) {
  const auto principal = auth_.identify(request, port_);
  auto name = principal ? principal->name : std::string{"node"};
  for (const auto& certified : request.client_names) {
    if (certified.starts_with("infiniedge://gateway/")) name = certified;
  }
  co_await node_.ingest().serve(std::move(socket), std::move(name));
}

http::Response Door::console(const http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    return api::problem(Error{Code::NotFound, "there is no such path"});
  }
  return console_response(request);
}

}  // namespace infiniedge::app
