// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "runtime/metrics.hpp"

namespace infiniedge::api::inference {

/// The machine as Triton's metrics show it: nv_cpu_utilization (0 to 1, since the last update) and
/// nv_cpu_memory_{total,used}_bytes, read from /proc.
///
/// Thread: one shard.
/// Owner:  whoever writes the metrics' text, which calls update() before.
/// Errors: none: what cannot be read is left out.
class HostMetrics {
 public:
  explicit HostMetrics(runtime::Metrics& metrics) : metrics_(metrics) {}
  void update();

 private:
  void update_cpu();
  void update_memory();

  runtime::Metrics& metrics_;
  std::uint64_t busy_ = 0, total_ = 0;
};

}  // namespace infiniedge::api::inference
