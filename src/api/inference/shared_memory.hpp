// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

/// A shared-memory object as a client registers it; `key` is its name for shm_open.
struct SharedRegion {
  std::string name, key{};
  std::uint64_t offset = 0, byte_size = 0;
};

/// A part of a region, as a request names it.
struct SharedSlice {
  std::string region;
  std::uint64_t offset = 0, byte_size = 0;
};

/// A registered object, open. Its bytes are never mapped: the client may truncate or rewrite the
/// object at any time, and then a read comes back short where a load would be a fault.
///
/// Thread: any; does not change.
/// Owner:  shared by the registry and by the requests that use it.
/// Errors: Invalid when the object no longer holds what is asked for.
class SharedObject {
 public:
  /// Errors: Invalid when there is no such object, or it is smaller than the region.
  static Result<std::shared_ptr<const SharedObject>> open(SharedRegion region);
  ~SharedObject();
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  const SharedRegion& region() const { return region_; }
  /// A copy of a slice that SharedMemory::use() has checked.
  Result<std::shared_ptr<const std::string>> read(const SharedSlice& slice) const;
  /// Writes to the front of a checked slice, into which `bytes` fit.
  Result<void> write(const SharedSlice& slice, base::ByteView bytes) const;

 private:
  SharedObject(SharedRegion region, int file) : region_(std::move(region)), file_(file) {}

  SharedRegion region_;
  int file_;
};

/// The regions that clients have registered, for every door of the protocol.
///
/// Flow:   doors -> [SharedMemory] -> tensors
/// Thread: the doors' shard.
/// Owner:  app; outlives the doors.
/// Errors: Unsupported while off; Exists for a name in use; NotFound; Invalid.
class SharedMemory {
 public:
  static constexpr std::size_t kMaxRegions = 1024;

  explicit SharedMemory(bool enabled) : enabled_(enabled) {}

  bool enabled() const { return enabled_; }
  Result<void> add(SharedRegion region);
  /// Takes the region away, or, while a request uses it, as soon as that is answered. A name that
  /// is not known is no error.
  void remove(std::string_view name);
  void remove_all();
  std::vector<SharedRegion> list();
  Result<SharedRegion> find(std::string_view name);
  /// The object behind a slice that lies within its region. The region stays until it is dropped.
  Result<std::shared_ptr<const SharedObject>> use(const SharedSlice& slice);

 private:
  struct Entry {
    std::shared_ptr<const SharedObject> object;
    bool leaving = false;
  };
  void drop_left();

  bool enabled_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// What registering CUDA memory is told: this build has no GPU.
Error no_gpu(std::string_view region);

}  // namespace infiniedge::api::inference
