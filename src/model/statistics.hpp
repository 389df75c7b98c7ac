// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "infiniedge/time.hpp"
#include "runtime/metrics.hpp"

namespace infiniedge::model {

/// How often something happened and how long it took in all.
struct DurationStat {
  std::uint64_t count = 0, ns = 0;
  void add(std::uint64_t nanoseconds, std::uint64_t times = 1) {
    count += times;
    ns += nanoseconds;
  }
};

struct BatchStat {
  DurationStat compute_input, compute_infer, compute_output;
};

/// What a model version has done, with the members of Triton's ModelStatistics. Counts of
/// `success` and `queue` are requests, of `compute_*` too; `executions` are runs.
struct Statistics {
  std::int64_t last_inference_ms = 0;  ///< Since the epoch.
  std::uint64_t inferences = 0, executions = 0;
  DurationStat success, fail, queue, compute_input, compute_infer, compute_output;
  DurationStat cache_hit, cache_miss;         ///< Of a model whose answers are kept.
  std::map<std::int64_t, BatchStat> batches;  ///< By executed size.
};

/// What one execution took, in nanoseconds.
struct Timing {
  std::uint64_t input = 0, infer = 0, output = 0;
};

/// Why a request got no answer.
enum class Failure { Rejected, Cancelled, Backend, Other };

/// Metrics of one model version, found once and then updated without a lock.
///
/// Thread: the server's shard.
/// Owner:  its version.
class VersionMetrics {
 public:
  VersionMetrics(runtime::Metrics& metrics, const std::string& model, std::int64_t version);

  void executed(std::int64_t batch, const Timing& timing, std::uint64_t requests);
  void succeeded(std::uint64_t queue_ns, std::uint64_t total_ns);
  void failed(Failure why);
  void looked_up(bool hit, std::uint64_t ns);  ///< In the response cache.
  runtime::Gauge& sequences_active();
  void rejected(std::string_view reason);  ///< queue_full, deadline, shutdown.
  void cancelled(std::string_view stage);  ///< queue, execute.
  void pending(std::size_t requests);
  void cost(std::int64_t batch, double seconds);
  /// Where it computes, and which accelerators that were asked for do not.
  void placed(const std::string& device, const std::vector<Refusal>& refusals);

 private:
  runtime::Counter& rejections(std::string_view reason);
  runtime::Counter& cancellations(std::string_view stage);
  /// A counter in µs fed in ns: what is left over waits for the next time.
  struct MicrosCounter {
    runtime::Counter* counter = nullptr;
    std::uint64_t rest = 0;
    void add(std::uint64_t ns);
  };
  runtime::Counter& counter(std::string_view name, std::string_view help, runtime::Labels extra);

  runtime::Metrics& metrics_;
  runtime::Labels labels_;
  runtime::Counter *success_, *failures_[4], *inferences_, *executions_;
  MicrosCounter request_us_, queue_us_, input_us_, infer_us_, output_us_;
  struct Lookups {
    runtime::Counter* count = nullptr;
    MicrosCounter us{};
  };
  Lookups cache_[2];  ///< Misses, hits; made with the first.
  runtime::Gauge* pending_;
  runtime::Histogram *queue_seconds_, *execute_seconds_;
};

}  // namespace infiniedge::model
