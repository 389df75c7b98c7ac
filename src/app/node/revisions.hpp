// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "infiniedge/result.hpp"
#include "runtime/disk.hpp"

namespace infiniedge::app {

/// The last twenty applied configurations, one file each, durable before they take effect.
///
/// Thread: a worker (blocking).
/// Errors: those of Disk.
class Revisions {
 public:
  Revisions(runtime::Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}

  struct Revision {
    std::uint64_t number = 0;
    std::string body;  ///< Documents in the full spelling.
  };
  Result<std::optional<Revision>> latest();
  /// Writes the next one; returns its number.
  Result<std::uint64_t> append(const std::string& body);

 private:
  Result<std::vector<std::uint64_t>> numbers();
  std::string path(std::uint64_t number) const;

  runtime::Disk& disk_;
  std::string dir_;
};

}  // namespace infiniedge::app
