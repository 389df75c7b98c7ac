// SPDX-License-Identifier: Apache-2.0
#include "api/inference/shared_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>

namespace infiniedge::api::inference {
namespace {

/// End of a range, or nothing if it does not fit a file offset.
std::optional<std::uint64_t> end_of(std::uint64_t offset, std::uint64_t size) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  std::uint64_t end = 0;
  if (__builtin_add_overflow(offset, size, &end) || end > kMax) return std::nullopt;
  return end;
}

Error cannot_open(const SharedRegion& region, std::string_view why) {
  return {Code::Invalid, fmt::format("Unable to open shared memory region: '{}' with key '{}': {}",
                                     region.name, region.key, why)};
}

Error changed(const SharedRegion& region) {
  return {Code::Invalid,
          fmt::format("shared memory region '{}' no longer holds what was registered: its object "
                      "'{}' was truncated",
                      region.name, region.key)};
}

/// Size of the object, or nothing if it is no plain memory.
std::optional<std::uint64_t> size_of(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

Error unknown_region(std::string_view name) {
  return {Code::NotFound, fmt::format("Unable to find system shared memory region: '{}'", name)};
}

}  // namespace

Error no_gpu(std::string_view region) {
  return {
      Code::Invalid,
      fmt::format("failed to register CUDA shared memory region '{}': GPUs not supported", region)};
}

Result<std::shared_ptr<const SharedObject>> SharedObject::open(SharedRegion region) {
  const auto end = end_of(region.offset, region.byte_size);
  if (region.byte_size == 0 || !end) {
    return Error{Code::Invalid,
                 fmt::format("shared memory region '{}': offset {} and byte_size {} are no range",
                             region.name, region.offset, region.byte_size)};
  }
  if (region.key.find('\0') != std::string::npos) return cannot_open(region, "the key has a NUL");
  const int file = ::shm_open(region.key.c_str(), O_RDWR, 0);
  if (file < 0) return cannot_open(region, fmt::format("error {}", errno));
  const std::shared_ptr<const SharedObject> object(new SharedObject(std::move(region), file));
  const auto size = size_of(file);
  if (!size) return cannot_open(object->region(), "it is no shared-memory object");
  if (*size < *end) {
    return cannot_open(object->region(),
                       fmt::format("it has {} bytes, the region ends at {}", *size, *end));
  }
  return object;
}

SharedObject::~SharedObject() { ::close(file_); }

Result<std::shared_ptr<const std::string>> SharedObject::read(const SharedSlice& slice) const {
  auto bytes = std::make_shared<std::string>();
  bytes->resize(slice.byte_size);
  std::size_t have = 0;
  while (have < bytes->size()) {
    const auto at = static_cast<off_t>(region_.offset + slice.offset + have);
    const auto got = ::pread(file_, bytes->data() + have, bytes->size() - have, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return changed(region_);
    have += static_cast<std::size_t>(got);
  }
  return std::shared_ptr<const std::string>(std::move(bytes));
}

Result<void> SharedObject::write(const SharedSlice& slice, base::ByteView bytes) const {
  // A write behind the end would make the object grow again, which is not ours to decide.
  const auto size = size_of(file_);
  if (!size || *size < region_.offset + slice.offset + bytes.size()) return changed(region_);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto at = static_cast<off_t>(region_.offset + slice.offset + done);
    const auto put = ::pwrite(file_, bytes.data() + done, bytes.size() - done, at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return changed(region_);
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Result<void> SharedMemory::add(SharedRegion region) {
  if (!enabled_) {
    return Error{Code::Unsupported,
                 "shared memory is not enabled on this server; set "
                 "inference.shared_memory to true"};
  }
  drop_left();
  if (entries_.contains(region.name)) {
    return Error{Code::Exists,
                 fmt::format("shared memory region '{}' already in manager", region.name)};
  }
  if (entries_.size() >= kMaxRegions) {
    return Error{
        Code::Exhausted,
        fmt::format("{} shared memory regions are registered; unregister some", entries_.size())};
  }
  const auto name = region.name;
  auto object = SharedObject::open(std::move(region));
  if (!object) return std::move(object).error();
  entries_[name] = {std::move(*object)};
  return {};
}

void SharedMemory::drop_left() {
  std::erase_if(entries_, [](const auto& item) {
    return item.second.leaving && item.second.object.use_count() == 1;
  });
}

void SharedMemory::remove(std::string_view name) {
  const auto found = entries_.find(name);
  if (found != entries_.end()) found->second.leaving = true;
  drop_left();
}

void SharedMemory::remove_all() {
  for (auto& [name, entry] : entries_) entry.leaving = true;
  drop_left();
}

std::vector<SharedRegion> SharedMemory::list() {
  drop_left();
  std::vector<SharedRegion> out;
  for (const auto& [name, entry] : entries_) out.push_back(entry.object->region());
  return out;
}

Result<SharedRegion> SharedMemory::find(std::string_view name) {
  drop_left();
  const auto found = entries_.find(name);
  if (found == entries_.end()) return unknown_region(name);
  return found->second.object->region();
}

Result<std::shared_ptr<const SharedObject>> SharedMemory::use(const SharedSlice& slice) {
  if (!enabled_) {
    return Error{Code::Unsupported,
                 "shared memory is not enabled on this server; set "
                 "inference.shared_memory to true"};
  }
  const auto found = entries_.find(slice.region);
  if (found == entries_.end() || found->second.leaving) return unknown_region(slice.region);
  const auto& object = found->second.object;
  const auto end = end_of(slice.offset, slice.byte_size);
  if (end && *end <= object->region().byte_size) return object;
  return Error{
      Code::Invalid,
      fmt::format("Invalid offset {} and byte size {} for shared memory region '{}', "
                  "which has {} bytes",
                  slice.offset, slice.byte_size, slice.region, object->region().byte_size)};
}

}  // namespace infiniedge::api::inference
