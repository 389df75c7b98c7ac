// SPDX-License-Identifier: Apache-2.0
#include "stream/watermark.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace infiniedge::stream {
namespace {

constexpr std::size_t kMaxDevices = 100'000;
constexpr std::int64_t kOldest = -(std::int64_t{1} << 60);  // Less is a device's mistake.
constexpr auto kNever = std::numeric_limits<std::int64_t>::min();

}  // namespace

void Watermarks::adopt(Watermarks&& from) {
  devices_ = std::move(from.devices_);
  current_ = from.current_;
  newest_ = from.newest_;
  slowest_ = nullptr;
}

void Watermarks::observe(const Batch& batch, Timestamp now) {
  const auto limit = to_us(now + kMaxFuture);
  std::vector<std::int64_t> newest(batch.devices.size(), kNever);
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto ts = batch.ts[row];
    if (ts <= limit && ts >= kOldest)
      newest[batch.device[row]] = std::max(newest[batch.device[row]], ts);
  }
  for (std::size_t i = 0; i < newest.size(); ++i) {
    if (newest[i] == kNever) continue;
    newest_ = std::max(newest_.value_or(kNever), newest[i]);
    auto found = devices_.find(batch.devices[i]);
    if (found == devices_.end()) {
      if (devices_.size() >= kMaxDevices) continue;
      found = devices_.emplace(batch.devices[i], Device{newest[i], now}).first;
      slowest_ = nullptr;
    }
    auto& device = found->second;
    // Who was idle counts again; who held the others no longer may.
    if (now - device.seen >= idle_ || &device == slowest_) slowest_ = nullptr;
    device.newest = std::max(device.newest, newest[i]);
    device.seen = now;
  }
}

void Watermarks::advance(Timestamp now) {
  if (slowest_ != nullptr && now < next_idle_) return;
  if (devices_.empty()) return;
  const Device *slowest = nullptr, *newest = nullptr;
  Timestamp heard{};
  next_idle_ = Timestamp::max();
  for (const auto& [name, device] : devices_) {
    heard = std::max(heard, device.seen);
    if (newest == nullptr || device.newest > newest->newest) newest = &device;
    if (now - device.seen >= idle_) continue;
    next_idle_ = std::min(next_idle_, device.seen + idle_);
    if (slowest == nullptr || device.newest < slowest->newest) slowest = &device;
  }
  slowest_ = slowest;
  if (slowest != nullptr) return raise(slowest->newest - lateness_.count());
  raise(newest->newest - lateness_.count() + (now - heard).count());
}

void Watermarks::raise(std::int64_t to) { current_ = std::max(current_.value_or(kNever), to); }

}  // namespace infiniedge::stream
