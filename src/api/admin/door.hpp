// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "api/admin/node.hpp"
#include "api/auth.hpp"
#include "api/events.hpp"

namespace infiniedge::api::admin {

/// The administration API: /api/v1, /v1/query, /healthz, /readyz and /metrics.
///
/// Flow:   console, command line -> [Door] -> Node
/// Thread: the node's shard.
/// Owner:  app; everything it refers to outlives it.
class Door {
 public:
  Door(Node& node, Auth& auth, Events& events) : node_(node), auth_(auth), events_(events) {}

  /// True if `path` belongs to this door.
  static bool owns(std::string_view path);
  /// Paths that need no credential.
  static bool open_to_all(std::string_view path);
  Task<runtime::http::Response> handle(runtime::http::Request request, Principal principal);
  /// POST /api/v1/session: the link's secret becomes a cookie.
  runtime::http::Response open_session(const runtime::http::Request& request, std::uint16_t port);

 private:
  Task<runtime::http::Response> api(runtime::http::Request request, Principal principal);
  Task<runtime::http::Response> resources(runtime::http::Request request, Principal principal,
                                          std::vector<std::string> path);
  Task<runtime::http::Response> device(runtime::http::Request request, Principal principal,
                                       std::vector<std::string> path);
  Task<runtime::http::Response> apply(runtime::http::Request request);
  Task<runtime::http::Response> put(runtime::http::Request request, std::string plural,
                                    std::string name);
  runtime::http::Response simple(const runtime::http::Request& request, const std::string& word,
                                 bool& found);

  Node& node_;
  Auth& auth_;
  Events& events_;
};

}  // namespace infiniedge::api::admin
