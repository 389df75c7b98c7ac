// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "api/inference/call.hpp"
#include "api/inference/target.hpp"
#include "model/server.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"

namespace infiniedge::api::inference {

/// The Open Inference Protocol over HTTP, as clients written for Triton speak it.
///
/// Flow:    client -> http::Server -> [Door] -> model::Server
/// Thread:  the server's shard.
/// Owner:   app, which mounts handle() under /v2 behind its authentication. Server and metrics
///          outlive it.
/// Errors:  none leave it: every failure is a response {"error": "sentence"}.
class Door {
 public:
  struct Options {
    std::size_t max_body = 64U << 20;  ///< After decompression.
  };

  Door(model::Server& server, runtime::Metrics& metrics) : Door(server, metrics, Options{}) {}
  Door(model::Server& server, runtime::Metrics& metrics, Options options);

  /// Answers any request whose path is /v2 or below it.
  Task<runtime::http::Response> handle(runtime::http::Request request);

  /// True for the two routes that need no credential.
  static bool is_open(std::string_view path);

 private:
  using Request = runtime::http::Request;
  using Response = runtime::http::Response;

  Task<Response> route(Request request, Target target);
  Task<Response> infer(Request request, Target target);
  Task<Response> load(Request request, Target target);
  Task<Response> index(Request request);
  Response ready() const;
  Response model_ready(const Target& target) const;
  Response model(const Target& target) const;
  Response config(const Target& target) const;
  Response statistics(const Target& target) const;
  static Response shared_memory(const Target& target);
  Response refused(const Error& error, const model::Served* served) const;

  model::Server& server_;
  Options options_;
  CallReader reader_;
  runtime::Histogram& seconds_ok_;
  runtime::Histogram& seconds_refused_;
  runtime::Histogram& seconds_failed_;
};

}  // namespace infiniedge::api::inference
