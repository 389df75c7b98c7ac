// SPDX-License-Identifier: Apache-2.0
#include "api/inference/host_metrics.hpp"

#include <fstream>
#include <string>

namespace infiniedge::api::inference {

void HostMetrics::update() {
  update_cpu();
  update_memory();
}

/// The first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks.
void HostMetrics::update_cpu() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  std::uint64_t total = 0, idle = 0, ticks = 0;
  for (int i = 0; i < 8 && file >> ticks; ++i) {
    total += ticks;
    if (i == 3 || i == 4) idle += ticks;
  }
  if (total <= total_) return;
  const auto busy = total - idle;
  metrics_.gauge("nv_cpu_utilization", "Share of CPU time in use, 0 to 1.")
      .set(static_cast<double>(busy - busy_) / static_cast<double>(total - total_));
  busy_ = busy;
  total_ = total;
}

void HostMetrics::update_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0, total = 0, available = 0;
  while (file >> name >> kib) {
    std::getline(file, unit);
    if (name == "MemTotal:") total = kib * 1024;
    if (name == "MemAvailable:") available = kib * 1024;
  }
  if (total < available || total == 0) return;
  metrics_.gauge("nv_cpu_memory_total_bytes", "Memory of the machine.")
      .set(static_cast<double>(total));
  metrics_.gauge("nv_cpu_memory_used_bytes", "Memory of the machine that is in use.")
      .set(static_cast<double>(total - available));
}

}  // namespace infiniedge::api::inference
