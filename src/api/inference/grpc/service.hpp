// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/inference/call.hpp"
#include "api/inference/protocol_state.hpp"
#include "api/rpc/server.hpp"
#include "model/server.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::api::inference::grpc {

/// The Open Inference Protocol over gRPC, as clients written for Triton speak it.
///
/// Flow:    client -> rpc::Server -> [Service] -> model::Server
/// Thread:  the model server's shard.
/// Owner:   app. What the parts refer to outlives it.
/// Errors:  none leave it: every failure is a status.
class Service final : public rpc::Handler {
 public:
  struct Parts {
    model::Server& server;
    ProtocolState& state;
    runtime::Workers& workers;
    runtime::Metrics& metrics;
  };
  /// Says why a call may not be made. `steers`: it changes what the server does for others. Not
  /// asked about health.
  using Refuse = std::function<std::optional<rpc::Status>(const rpc::Head& head, bool steers)>;

  Service(Parts parts, Refuse refuse);

  std::optional<rpc::Status> admit(const rpc::Head& head) override;
  Task<rpc::Status> serve(rpc::Call& call) override;

 private:
  friend Task<rpc::Status> infer_stream(Service& service, rpc::Call& call);
  friend class InferStream;
  using Reply = Result<rpc::Payload>;
  using Unary = Task<Reply> (Service::*)(rpc::Message);
  /// What one method is. `unary` is null for the two that infer.
  struct Method {
    std::string_view path;
    Unary unary;
    enum class Need { Credential, Nothing, Operator } need = Need::Credential;
  };
  static const Method* find(std::string_view path);

  static Task<Result<rpc::Message>> receive_one(rpc::Call& call);
  Task<rpc::Status> run(rpc::Call& call, const Method& method);
  Task<rpc::Status> infer(rpc::Call& call);
  /// The request that a message holds, with what is left of the call's time.
  Task<Result<Call>> read(const rpc::Call& call, rpc::Message message);
  /// Of an inference that failed; when to try again, if that may help. `own_deadline`: the time
  /// that ran out was the call's, not that of a parameter or of the queue.
  rpc::Status failure(const Error& error, const std::string& model, bool own_deadline) const;

  Task<Reply> server_live(rpc::Message message);
  Task<Reply> server_ready(rpc::Message message);
  Task<Reply> model_ready(rpc::Message message);
  Task<Reply> server_metadata(rpc::Message message);
  Task<Reply> model_metadata(rpc::Message message);
  Task<Reply> model_config(rpc::Message message);
  Task<Reply> model_statistics(rpc::Message message);
  Task<Reply> repository_index(rpc::Message message);
  Task<Reply> load(rpc::Message message);
  Task<Reply> unload(rpc::Message message);
  Task<Reply> system_shared_memory_status(rpc::Message message);
  Task<Reply> system_shared_memory_register(rpc::Message message);
  Task<Reply> system_shared_memory_unregister(rpc::Message message);
  Task<Reply> cuda_shared_memory_status(rpc::Message message);
  Task<Reply> cuda_shared_memory_register(rpc::Message message);
  Task<Reply> cuda_shared_memory_unregister(rpc::Message message);
  Task<Reply> trace_setting(rpc::Message message);
  Task<Reply> log_settings(rpc::Message message);
  Task<Reply> health_check(rpc::Message message);

  Parts parts_;
  Refuse refuse_;
  std::vector<runtime::Histogram*> seconds_;  ///< By status code.
};

}  // namespace infiniedge::api::inference::grpc
