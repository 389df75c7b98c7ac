// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::runtime {

/// An open file. Blocking: called on a worker.
///
/// Errors: Exhausted (no space, quota), Unavailable (I/O error), NotFound, Denied.
class File {
 public:
  virtual ~File() = default;
  /// Bytes read at `offset`: fewer than asked only at the end of the file.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Writes all, or fails with an unknown part written.
  virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// fdatasync. After a failure the file must never be synced again: the kernel may have
  /// dropped the pages and would claim success.
  virtual Result<void> sync_data() = 0;
  /// Makes the file `size` long, zero-filled, with its blocks reserved.
  virtual Result<void> allocate(std::uint64_t size) = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

/// Files as seen by the product; tests use runtime::testing::SimDisk, which tears writes,
/// forgets what was not synced and fails on demand.
///
/// Thread: any worker; one user a path at a time.
/// Owner:  app; outlives every File.
class Disk {
 public:
  enum class Mode {
    Read,
    ReadDirect,  ///< Past the page cache where the file system can: what the medium really holds.
    Write,       ///< Read and write; must exist.
    Create       ///< Read and write; must not exist.
  };
  struct Space {
    std::uint64_t total = 0, available = 0;
  };

  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) = 0;
  /// Atomic; durable after sync_dir of both directories.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> unlink(const std::string& path) = 0;
  virtual Result<void> make_dir(const std::string& path) = 0;  ///< With parents; idempotent.
  /// Names (not paths) in byte order.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<void> sync_dir(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& path) = 0;
  /// Takes `path` for this process until the token is destroyed; creates it if absent.
  /// Errors: Exists when another process (named by its pid) holds it.
  virtual Result<std::shared_ptr<const void>> lock(const std::string& path) = 0;
};

/// The machine's file system.
std::unique_ptr<Disk> make_posix_disk();

}  // namespace infiniedge::runtime
