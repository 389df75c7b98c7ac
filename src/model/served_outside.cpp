// SPDX-License-Identifier: Apache-2.0
// What a version accounts for without having executed it: an ensemble's steps, answers from the
// cache, requests that failed before they came to its queue.
#include "model/served.hpp"

namespace infiniedge::model {

Result<std::shared_ptr<Served>> Served::assemble(ModelConfig config, std::int64_t version) {
  if (!config.max_batch_size) config.max_batch_size = 0;
  config.batching.enabled = false;
  auto graph = make_graph(config);
  if (!graph) return std::move(graph).error();
  std::shared_ptr<Served> out(new Served(std::move(config), version));
  out->graph_ = std::make_shared<const EnsembleGraph>(std::move(*graph));
  out->device_ = "cpu";
  out->measured_ = true;
  return out;
}

void Served::ran_steps(std::int64_t batch, std::uint64_t ns) {
  statistics_.last_inference_ms =
      std::chrono::floor<Millis>(machinery_->clock.wall()).time_since_epoch().count();
  statistics_.inferences += static_cast<std::uint64_t>(batch);
  ++statistics_.executions;
  statistics_.success.add(ns);
  statistics_.queue.add(0);
  statistics_.compute_input.add(0);
  statistics_.compute_infer.add(ns);
  statistics_.compute_output.add(0);
  auto& size = statistics_.batches[batch];
  size.compute_input.add(0);
  size.compute_infer.add(ns);
  size.compute_output.add(0);
  metrics_->executed(batch, {.infer = ns}, 1);
  metrics_->succeeded(0, ns);
}

/// A hit counts as answered without having been computed.
void Served::looked_up(bool hit, std::uint64_t ns) {
  (hit ? statistics_.cache_hit : statistics_.cache_miss).add(ns);
  metrics_->looked_up(hit, ns);
  if (!hit) return;
  statistics_.last_inference_ms =
      std::chrono::floor<Millis>(machinery_->clock.wall()).time_since_epoch().count();
  statistics_.success.add(ns);
  statistics_.queue.add(0);
  metrics_->succeeded(0, ns);
}

void Served::failed_outside(const Error& error, std::uint64_t ns) {
  statistics_.fail.add(ns);
  if (error.code() == Code::Cancelled) {
    metrics_->cancelled("queue");
  } else if (error.code() == Code::Timeout || error.code() == Code::Exhausted) {
    metrics_->rejected(error.code() == Code::Timeout ? "deadline" : "queue_full");
  } else {
    metrics_->failed(Failure::Other);
  }
}

}  // namespace infiniedge::model
