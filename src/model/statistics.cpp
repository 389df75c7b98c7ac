// SPDX-License-Identifier: Apache-2.0
#include "model/statistics.hpp"

namespace infiniedge::model {

void VersionMetrics::MicrosCounter::add(std::uint64_t ns) {
  rest += ns;
  counter->add(rest / 1000);
  rest %= 1000;
}

runtime::Counter& VersionMetrics::counter(std::string_view name, std::string_view help,
                                          runtime::Labels extra) {
  extra.insert(extra.end(), labels_.begin(), labels_.end());
  return metrics_.counter(name, help, std::move(extra));
}

runtime::Counter& VersionMetrics::rejections(std::string_view reason) {
  return counter("infiniedge_model_rejected_total", "Requests refused before execution.",
                 {{"reason", std::string{reason}}});
}

runtime::Counter& VersionMetrics::cancellations(std::string_view stage) {
  return counter("infiniedge_model_cancelled_total", "Requests given up by their caller.",
                 {{"stage", std::string{stage}}});
}

VersionMetrics::VersionMetrics(runtime::Metrics& metrics, const std::string& model,
                               std::int64_t version)
    : metrics_(metrics), labels_{{"model", model}, {"version", std::to_string(version)}} {
  success_ = &counter("nv_inference_request_success", "Requests answered.", {});
  constexpr std::string_view kReasons[] = {"REJECTED", "CANCELED", "BACKEND", "OTHER"};
  for (std::size_t i = 0; i < std::size(kReasons); ++i) {
    failures_[i] = &counter("nv_inference_request_failure", "Requests that got no answer.",
                            {{"reason", std::string{kReasons[i]}}});
  }
  inferences_ = &counter("nv_inference_count", "Inferences; a batch of n counts n.", {});
  executions_ = &counter("nv_inference_exec_count", "Executions of the model.", {});
  request_us_.counter = &counter("nv_inference_request_duration_us", "Requests, in all.", {});
  queue_us_.counter = &counter("nv_inference_queue_duration_us", "Waiting in the queue.", {});
  input_us_.counter = &counter("nv_inference_compute_input_duration_us", "Gathering inputs.", {});
  infer_us_.counter =
      &counter("nv_inference_compute_infer_duration_us", "Executing the model.", {});
  output_us_.counter =
      &counter("nv_inference_compute_output_duration_us", "Scattering outputs.", {});
  pending_ =
      &metrics.gauge("nv_inference_pending_request_count", "Requests in the queue.", labels_);
  queue_seconds_ = &metrics.histogram("infiniedge_model_queue_seconds",
                                      "Time that requests wait in the queue.", labels_);
  execute_seconds_ =
      &metrics.histogram("infiniedge_model_execute_seconds", "Time of one execution.", labels_);
  // A series that is there from the start shows its first count as a rise.
  for (const auto* reason : {"queue_full", "deadline", "shutdown"}) rejections(reason);
  for (const auto* stage : {"queue", "execute"}) cancellations(stage);
}

void VersionMetrics::executed(std::int64_t batch, const Timing& timing, std::uint64_t requests) {
  inferences_->add(static_cast<std::uint64_t>(batch));
  executions_->add();
  input_us_.add(timing.input * requests);
  infer_us_.add(timing.infer * requests);
  output_us_.add(timing.output * requests);
  execute_seconds_->observe(static_cast<double>(timing.infer) * 1e-9);
}

void VersionMetrics::succeeded(std::uint64_t queue_ns, std::uint64_t total_ns) {
  success_->add();
  queue_us_.add(queue_ns);
  request_us_.add(total_ns);
  queue_seconds_->observe(static_cast<double>(queue_ns) * 1e-9);
}

void VersionMetrics::looked_up(bool hit, std::uint64_t ns) {
  auto& lookups = cache_[hit ? 1 : 0];
  if (lookups.count == nullptr) {
    lookups.count = hit ? &counter("nv_cache_num_hits_per_model", "Answers from the cache.", {})
                        : &counter("nv_cache_num_misses_per_model", "Answers not in it.", {});
    lookups.us.counter =
        hit ? &counter("nv_cache_hit_duration_per_model", "µs to find them.", {})
            : &counter("nv_cache_miss_duration_per_model", "µs to look and to keep.", {});
  }
  lookups.count->add();
  lookups.us.add(ns);
}

runtime::Gauge& VersionMetrics::sequences_active() {
  return metrics_.gauge("infiniedge_model_sequences_active", "Sequences that live.", labels_);
}

void VersionMetrics::failed(Failure why) { failures_[static_cast<int>(why)]->add(); }

void VersionMetrics::rejected(std::string_view reason) {
  failed(Failure::Rejected);
  rejections(reason).add();
}

void VersionMetrics::cancelled(std::string_view stage) {
  failed(Failure::Cancelled);
  cancellations(stage).add();
}

void VersionMetrics::pending(std::size_t requests) { pending_->set(static_cast<double>(requests)); }

void VersionMetrics::cost(std::int64_t batch, double seconds) {
  auto labels = labels_;
  labels.emplace_back("batch", std::to_string(batch));
  metrics_
      .gauge("infiniedge_model_cost_seconds", "Measured time of one execution.", std::move(labels))
      .set(seconds);
}

void VersionMetrics::placed(const std::string& device, const std::vector<Refusal>& refusals) {
  const auto set = [this](std::string_view name, std::string_view help, std::string_view key,
                          const std::string& value) {
    auto labels = labels_;
    labels.emplace_back(key, value);
    metrics_.gauge(name, help, std::move(labels)).set(1);
  };
  set("infiniedge_model_device", "1: the device that computes this version.", "device", device);
  for (const auto& refusal : refusals) {
    set("infiniedge_model_accelerator_refused",
        "1: asked for, and not used; the log says why at each load.", "accelerator",
        refusal.accelerator);
  }
}

}  // namespace infiniedge::model
