// SPDX-License-Identifier: Apache-2.0
// A request's way through the server: which version answers it, from the cache or not, alone, in
// its sequence, or by the steps of an ensemble.
#include <fmt/format.h>

#include "model/ensemble.hpp"
#include "model/server.hpp"

namespace infiniedge::model {
namespace {

/// The queue policy's time, or the caller's own where that is shorter and permitted. Unlike in
/// Triton it also counts without a default: a caller's deadline is never ignored silently.
std::optional<Micros> allowed_time(const Batching& batching, std::optional<Micros> asked) {
  std::optional<Micros> allowed;
  if (batching.queue.timeout > Micros{0}) allowed = batching.queue.timeout;
  if (asked && batching.queue.allow_timeout_override && (!allowed || *asked < *allowed))
    allowed = asked;
  return allowed;
}

std::uint64_t ns_since(std::chrono::steady_clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds{std::chrono::steady_clock::now() - start}.count());
}

std::vector<Tensor> pick(std::vector<Tensor> outputs, const std::vector<std::size_t>& wanted) {
  if (wanted.empty()) return outputs;
  std::vector<Tensor> out;
  for (const auto at : wanted) out.push_back(std::move(outputs[at]));
  return out;
}

}  // namespace

Task<Result<InferResponse>> Server::infer(InferRequest request) {
  if (scope_.cancelled()) co_return Error{Code::Unavailable, "the model server is stopping"};
  if (request.sequence && !request.sequence->named()) request.sequence.reset();
  auto served = co_await obtain(request.model, request.version);
  if (request.sequence) {
    served = routes_.find(request.model, request.version, *request.sequence, std::move(served));
  }
  if (!served) co_return std::move(served).error();
  const auto since = machinery_.clock.now();
  const bool timed = (*served)->measured();
  const auto& config = (*served)->config();
  auto checked = check_request(config, std::move(request.inputs), request.outputs);
  if (!checked) co_return std::move(checked).error();
  const auto allowed = allowed_time(config.batching, request.timeout);
  std::optional<Instant> deadline;
  if (allowed) deadline = machinery_.clock.now() + *allowed;
  auto outputs = co_await answer_or_recall(*served, request, std::move(*checked), deadline);
  note(request.model, **served, outputs ? nullptr : &outputs.error(), since, timed);
  if (!outputs) co_return std::move(outputs).error();
  InferResponse response{(*served)->config_ptr(), (*served)->version(), std::move(*outputs)};
  co_return response;
}

/// A version that was swapped out waits for its sequences, but not for ever.
Task<void> Server::end_sequences_later(Server& server, std::weak_ptr<Served> old) {
  constexpr Micros kPatience{Seconds{30}};
  if (!co_await server.machinery_.clock.sleep_for(kPatience)) co_return;
  const auto left = old.lock();
  if (!left) co_return;
  // It may be back: a roll-back.
  const auto now = server.find(left->config().name, std::to_string(left->version()));
  if (!now || *now != left) server.routes_.end(left, SequenceRoutes::Why::Replaced);
}

void Server::leave_sequences(const std::shared_ptr<Served>& old) {
  if (old->sequences() == nullptr) return;
  routes_.leave(old, SequenceRoutes::Why::Replaced);
  scope_.spawn(end_sequences_later(*this, old));
}

/// The wanted outputs, from the cache where the model has its answers kept.
Task<Result<std::vector<Tensor>>> Server::answer_or_recall(std::shared_ptr<Served> served,
                                                           InferRequest& request,
                                                           CheckedRequest checked,
                                                           std::optional<Instant> deadline) {
  const auto& config = served->config();
  const auto wanted = checked.outputs;
  const bool recalls = config.cache.enabled && !request.sequence && !served->sequences();
  if (!recalls) {
    auto outputs = co_await answer(served, request, std::move(checked), deadline);
    if (!outputs) co_return std::move(outputs).error();
    to_client_shapes(config, *outputs);
    co_return pick(std::move(*outputs), wanted);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto key = cache_.key(config.name, served->version(), checked);
  if (auto known = cache_.find(key, machinery_.clock.now())) {
    served->looked_up(true, ns_since(start));
    co_return std::move(*known);
  }
  auto spent = ns_since(start);
  auto outputs = co_await answer(served, request, std::move(checked), deadline);
  if (!outputs) co_return std::move(outputs).error();
  to_client_shapes(config, *outputs);
  auto picked = pick(std::move(*outputs), wanted);
  const auto end = std::chrono::steady_clock::now();
  // Only of a version that still serves: the swap has flushed the cache.
  const auto now = find(config.name, std::to_string(served->version()));
  if (now && *now == served) {
    cache_.put(key, config.name, picked, machinery_.clock.now() + config.cache.ttl);
  }
  spent += ns_since(end);
  served->looked_up(false, spent);
  co_return picked;
}

/// All outputs.
Task<Result<std::vector<Tensor>>> Server::answer(std::shared_ptr<Served> served,
                                                 InferRequest& request, CheckedRequest checked,
                                                 std::optional<Instant> deadline) {
  if (const auto& graph = served->graph()) {
    const auto start = std::chrono::steady_clock::now();
    const auto batch = checked.batch;
    const auto held = served->hold();
    EnsembleCall call{deadline, request.priority, request.sequence, request.cancel};
    auto outputs = co_await run_ensemble(*this, machinery_.clock, served->config_ptr(), graph,
                                         std::move(checked.inputs), std::move(call));
    if (outputs) {
      served->ran_steps(batch, ns_since(start));
    } else {
      served->failed_outside(outputs.error(), ns_since(start));
    }
    co_return outputs;
  }
  if (auto* sequences = served->sequences()) {
    if (!request.sequence) {
      co_return Error{Code::Invalid,
                      fmt::format("inference request to model '{}' must specify a non-zero or "
                                  "non-empty correlation ID: give the parameter sequence_id",
                                  served->config().name)};
    }
    bool reached = false;  // From there on the version accounts for it itself.
    const Sequences::Execute execute = [&](CheckedRequest ready) {
      reached = true;
      return served->infer(std::move(ready), deadline);
    };
    const auto start = std::chrono::steady_clock::now();
    Sequences::Call call{std::move(*request.sequence), deadline, request.cancel};
    auto outputs = co_await sequences->infer(std::move(checked), std::move(call), execute);
    if (!outputs && !reached && outputs.error().code() != Code::Invalid) {
      served->failed_outside(outputs.error(), ns_since(start));
    }
    co_return outputs;
  }
  co_return co_await served->infer(std::move(checked), deadline);
}

}  // namespace infiniedge::model
