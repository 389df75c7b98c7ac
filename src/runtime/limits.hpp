// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace infiniedge::runtime {

/// What this process may use of the machine: its control groups' limits (version 2, or 1 without
/// it) or the machine itself, whichever is less.
struct Limits {
  unsigned cores = 1;        ///< Whole cores, rounded up.
  std::uint64_t memory = 0;  ///< Bytes.
};

/// `root`: where /proc and /sys/fs/cgroup are found. What cannot be read does not limit.
Limits read_limits(const std::filesystem::path& root = "/");

}  // namespace infiniedge::runtime
