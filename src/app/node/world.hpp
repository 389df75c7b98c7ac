// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "runtime/clock.hpp"
#include "runtime/disk.hpp"
#include "runtime/entropy.hpp"
#include "runtime/metrics.hpp"
#include "runtime/shard.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::app {

/// Everything outside that a process touches, and its threads: one shard, one disk worker, one
/// thread for compute.
struct World {
  runtime::SystemClock clock;
  runtime::SystemEntropy entropy;
  runtime::Metrics metrics;
  std::unique_ptr<runtime::Disk> disk = runtime::make_posix_disk();
  runtime::Shard shard{"main"};
  runtime::Workers disk_worker{"disk", 1, 65536};
  runtime::Workers compute{"compute", 1};
  runtime::Workers query{"query", 2, 18};  // 2 run, 16 queue
};

}  // namespace infiniedge::app
