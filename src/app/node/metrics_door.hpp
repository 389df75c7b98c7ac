// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/node/node.hpp"
#include "runtime/http/server.hpp"

namespace infiniedge::app {

/// Metrics alone, on an address of their own and without a credential: what scrapers that know
/// no tokens read.
///
/// Thread: the node's shard.
/// Owner:  serve(). The node outlives it.
class MetricsDoor final : public runtime::http::Handler {
 public:
  explicit MetricsDoor(Node& node) : node_(node) {}

  Task<runtime::http::Response> handle(runtime::http::Request request) override {
    runtime::http::Response response;
    response.headers.set("content-type", "text/plain; version=0.0.4");
    if (request.path() != "/metrics") {
      response.status = 404;
      response.body = "only /metrics is here\n";
    } else if (request.method != "GET") {
      response.status = 405;
      response.headers.set("allow", "GET");
      response.body = "/metrics takes GET\n";
    } else {
      response.body = node_.metrics();
    }
    co_return response;
  }

 private:
  Node& node_;
};

}  // namespace infiniedge::app
