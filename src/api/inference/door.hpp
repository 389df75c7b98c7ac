// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "api/inference/call.hpp"
#include "api/inference/protocol_state.hpp"
#include "api/inference/target.hpp"
#include "model/server.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::api::inference {

/// The Open Inference Protocol over HTTP, as clients written for Triton speak it.
///
/// Flow:    client -> http::Server -> [Door] -> model::Server
/// Thread:  the server's shard; large bodies are read, written and compressed on `workers`.
/// Owner:   app, which mounts handle() under /v2 behind its authentication. What the parts refer
///          to outlives it.
/// Errors:  none leave it: every failure is a response {"error": "sentence"}.
class Door {
 public:
  struct Parts {
    model::Server& server;
    ProtocolState& state;
    runtime::Workers& workers;
    runtime::Metrics& metrics;
  };
  struct Options {
    std::size_t max_body = 64U << 20;  ///< After decompression; also of inputs in shared memory.
  };

  explicit Door(Parts parts) : Door(parts, Options{}) {}
  Door(Parts parts, Options options);

  /// Answers any request whose path is /v2 or below it.
  Task<runtime::http::Response> handle(runtime::http::Request request);

  /// True for /v2 and whatever is below it.
  static bool owns(std::string_view path);
  /// True for the routes that need no credential.
  static bool is_open(std::string_view path);
  /// True for requests that change what the server does for others.
  static bool steers(const runtime::http::Request& request);

 private:
  using Request = runtime::http::Request;
  using Response = runtime::http::Response;
  using ServedPtr = std::shared_ptr<model::Served>;

  Task<Response> answer(Request request, Target target);
  Task<Response> route(Request request, Target target);
  Task<Response> infer(Request request, Target target);
  Task<Response> generate(Request request, Target target);
  Task<Result<Call>> read_call(ServedPtr served, Request request);
  Task<Response> write_call(Call call, model::InferResponse answer);
  Task<Response> compressed(Response response, std::string accept);

  Response ready() const;
  Response model_ready(const Target& target) const;
  Response model(const Target& target) const;
  Response config(const Target& target) const;
  Response statistics(const Target& target) const;

  Task<Response> load(Request request, Target target);
  Task<Response> index(Request request);
  Response shared_memory(const Request& request, const Target& target);
  Response cuda_shared_memory(const Target& target) const;
  Response logging(const Request& request);
  Response trace(const Request& request, const Target& target);

  Response refused(const Error& error, const model::Served* served) const;

  Parts parts_;
  Options options_;
  CallReader reader_;
  runtime::Histogram& seconds_ok_;
  runtime::Histogram& seconds_refused_;
  runtime::Histogram& seconds_failed_;
};

}  // namespace infiniedge::api::inference
