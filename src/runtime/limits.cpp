// SPDX-License-Identifier: Apache-2.0
#include "runtime/limits.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

namespace infiniedge::runtime {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;  // "max" and "-1" are no limits.
  return std::nullopt;
}

void limit_cores(Limits& limits, std::uint64_t quota_us, std::uint64_t period_us) {
  if (quota_us == 0 || period_us == 0) return;
  const auto cores = (quota_us + period_us - 1) / period_us;
  limits.cores = static_cast<unsigned>(std::min<std::uint64_t>(limits.cores, cores));
}

/// One control group of version 2.
void apply_group(const fs::path& group, Limits& limits) {
  std::ifstream cpu(group / "cpu.max");
  std::uint64_t quota = 0, period = 0;
  if (cpu >> quota >> period) limit_cores(limits, quota, period);
  if (const auto memory = number_in(group / "memory.max")) {
    limits.memory = std::min(limits.memory, *memory);
  }
}

/// Path of the own group: the line `0::/path` of /proc/self/cgroup.
fs::path own_group(const fs::path& root) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("0::/")) return fs::path(line.substr(4));
  }
  return {};
}

void apply_version_1(const fs::path& groups, Limits& limits) {
  const auto quota = number_in(groups / "cpu/cpu.cfs_quota_us");
  const auto period = number_in(groups / "cpu/cpu.cfs_period_us");
  if (quota && period) limit_cores(limits, *quota, *period);
  if (const auto memory = number_in(groups / "memory/memory.limit_in_bytes")) {
    limits.memory = std::min(limits.memory, *memory);
  }
}

std::uint64_t machine_memory(const fs::path& root) {
  std::ifstream in(root / "proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  if (in >> name >> kib && name == "MemTotal:") return kib * 1024;
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Limits read_limits(const fs::path& root) {
  Limits limits{.cores = std::max(1U, std::thread::hardware_concurrency()),
                .memory = machine_memory(root)};
  const auto groups = root / "sys/fs/cgroup";
  std::error_code ignored;
  // Every group above limits too; in a container the own path may not be visible, but the root is.
  fs::path group = groups;
  apply_group(group, limits);
  for (const auto& part : own_group(root)) apply_group(group /= part, limits);
  if (!fs::exists(groups / "cgroup.controllers", ignored)) apply_version_1(groups, limits);
  return limits;
}

}  // namespace infiniedge::runtime
