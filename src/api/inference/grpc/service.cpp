// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/inference/grpc/infer_read.hpp"
#include "api/inference/grpc/infer_stream.hpp"
#include "api/inference/grpc/infer_write.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

constexpr std::string_view kInfer = "/inference.GRPCInferenceService/ModelInfer";
constexpr std::string_view kStream = "/inference.GRPCInferenceService/ModelStreamInfer";

constexpr std::size_t kMaxShared = 64U << 20;  ///< Of one request's inputs.

runtime::Histogram& histogram(runtime::Metrics& metrics, rpc::StatusCode code) {
  return metrics.histogram("infiniedge_api_request_seconds", "Time to answer a request.",
                           {{"door", "grpc"}, {"code", std::string{rpc::to_string(code)}}});
}

}  // namespace

Service::Service(Parts parts, Refuse refuse) : parts_(parts), refuse_(std::move(refuse)) {
  for (int code = 0; code <= static_cast<int>(rpc::StatusCode::Unauthenticated); ++code) {
    seconds_.push_back(&histogram(parts_.metrics, static_cast<rpc::StatusCode>(code)));
  }
}

const Service::Method* Service::find(std::string_view path) {
#define INFINIEDGE_INFERENCE(name) "/inference.GRPCInferenceService/" name
  using Need = Method::Need;
  static constexpr Method kMethods[] = {
      {kInfer, nullptr},
      {kStream, nullptr},
      {INFINIEDGE_INFERENCE("ServerLive"), &Service::server_live, Need::Nothing},
      {INFINIEDGE_INFERENCE("ServerReady"), &Service::server_ready, Need::Nothing},
      {INFINIEDGE_INFERENCE("ModelReady"), &Service::model_ready},
      {INFINIEDGE_INFERENCE("ServerMetadata"), &Service::server_metadata},
      {INFINIEDGE_INFERENCE("ModelMetadata"), &Service::model_metadata},
      {INFINIEDGE_INFERENCE("ModelConfig"), &Service::model_config},
      {INFINIEDGE_INFERENCE("ModelStatistics"), &Service::model_statistics},
      {INFINIEDGE_INFERENCE("RepositoryIndex"), &Service::repository_index},
      {INFINIEDGE_INFERENCE("RepositoryModelLoad"), &Service::load, Need::Operator},
      {INFINIEDGE_INFERENCE("RepositoryModelUnload"), &Service::unload, Need::Operator},
      {INFINIEDGE_INFERENCE("SystemSharedMemoryStatus"), &Service::system_shared_memory_status},
      {INFINIEDGE_INFERENCE("SystemSharedMemoryRegister"), &Service::system_shared_memory_register,
       Need::Operator},
      {INFINIEDGE_INFERENCE("SystemSharedMemoryUnregister"),
       &Service::system_shared_memory_unregister, Need::Operator},
      {INFINIEDGE_INFERENCE("CudaSharedMemoryStatus"), &Service::cuda_shared_memory_status},
      {INFINIEDGE_INFERENCE("CudaSharedMemoryRegister"), &Service::cuda_shared_memory_register,
       Need::Operator},
      {INFINIEDGE_INFERENCE("CudaSharedMemoryUnregister"), &Service::cuda_shared_memory_unregister,
       Need::Operator},
      {INFINIEDGE_INFERENCE("TraceSetting"), &Service::trace_setting, Need::Operator},
      {INFINIEDGE_INFERENCE("LogSettings"), &Service::log_settings, Need::Operator},
      {"/grpc.health.v1.Health/Check", &Service::health_check, Need::Nothing}};
#undef INFINIEDGE_INFERENCE
  const auto found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                  [&](const Method& method) { return method.path == path; });
  return found == std::end(kMethods) ? nullptr : found;
}

std::optional<rpc::Status> Service::admit(const rpc::Head& head) {
  const auto* method = find(head.path);
  if (method == nullptr) {
    return rpc::Status{rpc::StatusCode::Unimplemented,
                       fmt::format("this server has no method {}", head.path)};
  }
  if (method->need == Method::Need::Nothing || !refuse_) return std::nullopt;
  return refuse_(head, method->need == Method::Need::Operator);
}

Task<rpc::Status> Service::serve(rpc::Call& call) {
  const auto start = std::chrono::steady_clock::now();
  const auto& method = *find(call.head().path);
  rpc::Status status;
  if (method.path == kStream) {
    status = co_await infer_stream(*this, call);
  } else if (method.path == kInfer) {
    status = co_await infer(call);
  } else {
    status = co_await run(call, method);
  }
  const auto took = std::chrono::steady_clock::now() - start;
  seconds_[static_cast<std::size_t>(status.code)]->observe(
      std::chrono::duration<double>(took).count());
  co_return status;
}

/// The one request of a call that takes one.
Task<Result<rpc::Message>> Service::receive_one(rpc::Call& call) {
  auto message = co_await call.receive();
  if (!message) {
    if (call.gone()) co_return Error{Code::Cancelled, "the client is gone"};
    co_return Error{Code::Invalid, "the call ended without a request"};
  }
  if (co_await call.receive()) co_return Error{Code::Invalid, "the call takes one request only"};
  co_return std::move(*message);
}

Task<rpc::Status> Service::run(rpc::Call& call, const Method& method) {
  auto message = co_await receive_one(call);
  if (!message) co_return rpc::status_of(message.error());
  auto reply = co_await (this->*method.unary)(std::move(*message));
  if (!reply) co_return rpc::status_of(reply.error());
  const auto sent = co_await call.send(std::move(*reply));
  co_return sent ? rpc::Status{} : rpc::status_of(sent.error());
}

// --- Inference -------------------------------------------------------------------------------

Task<Result<Call>> Service::read(const rpc::Call& call, rpc::Message message) {
  auto out = read_infer(message);
  message.reset();  // The tensors keep it as long as they need it.
  if (!out) co_return out;
  out->request.cancel = call.cancelled();
  const auto left = call.time_left();
  auto& timeout = out->request.timeout;
  if (left && (!timeout || *left < *timeout)) timeout = *left;
  INFINIEDGE_CO_TRY(hold_shared(*out, parts_.state.memory, kMaxShared));
  if (out->shared_inputs.empty()) co_return out;
  const auto copy = [&out] { return copy_shared(*out); };
  auto copied = co_await runtime::run_on(parts_.workers, copy);
  if (!copied) co_return std::move(copied).error();
  co_return out;
}

Task<rpc::Status> Service::infer(rpc::Call& call) {
  auto message = co_await receive_one(call);
  if (!message) co_return rpc::status_of(message.error());
  const auto left = call.time_left();
  auto request = co_await read(call, std::move(*message));
  if (!request) co_return rpc::status_of(request.error());
  const auto timeout = request->request.timeout;
  const auto model = request->request.model;
  auto answer = co_await parts_.server.infer(std::move(request->request));
  if (!answer) co_return failure(answer.error(), model, left && left == timeout);
  auto reply = write_infer(*request, *answer);
  if (!reply) co_return rpc::status_of(reply.error());
  const auto sent = co_await call.send(std::move(*reply));
  co_return sent ? rpc::Status{} : rpc::status_of(sent.error());
}

rpc::Status Service::failure(const Error& error, const std::string& model,
                             bool own_deadline) const {
  auto out = rpc::status_of(error);
  if (error.code() == Code::Timeout && own_deadline) out.code = rpc::StatusCode::DeadlineExceeded;
  if (out.code != rpc::StatusCode::Unavailable) return out;
  const auto served = parts_.server.find(model);
  const Micros wait = served ? (*served)->retry_after() : Micros{Seconds{1}};
  out.retry_after = std::max(std::chrono::ceil<Millis>(wait), Millis{1});
  return out;
}

}  // namespace infiniedge::api::inference::grpc
