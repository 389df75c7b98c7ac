// SPDX-License-Identifier: Apache-2.0
#include "sync/arbiter.hpp"

namespace infiniedge::sync {
namespace {

constexpr std::uint64_t kFloor = 20;  // One twentieth.
/// Beyond it the past counts half: the floor is of what was sent lately.
constexpr std::uint64_t kMemory = std::uint64_t{8} << 20;
/// A lane that has been ready for so long without sending sits on a stuck connection, and no
/// longer holds up the others.
constexpr Seconds kStuck{1};

std::size_t index(record::Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

void Arbiter::offer(record::Lane lane, bool ready, Instant now) {
  Share& share = shares_[index(lane)];
  if (share.ready == ready) return;
  share.ready = ready;
  share.active = now;
  if (!ready) notify();
}

bool Arbiter::starved(const Share& share) const { return share.bytes * kFloor < total_; }

std::optional<record::Lane> Arbiter::pick(record::Lane first, record::Lane last,
                                          Instant now) const {
  bool higher_waits = false;
  std::optional<record::Lane> choice;
  for (std::size_t i = 0; i <= index(last); ++i) {
    const Share& share = shares_[i];
    if (!share.ready) continue;
    const bool mine = i >= index(first);
    if (mine && (starved(share) || (!higher_waits && !choice))) {
      // A starved lane goes before a higher one that has had its share.
      if (!choice || !starved(shares_[index(*choice)])) choice = static_cast<record::Lane>(i);
    }
    if (now - share.active <= kStuck) higher_waits = true;
  }
  return choice;
}

void Arbiter::sent(record::Lane lane, std::size_t bytes, Instant now) {
  Share& share = shares_[index(lane)];
  share.bytes += bytes;
  share.active = now;
  total_ += bytes;
  if (total_ > kMemory) {
    total_ = 0;
    for (auto& each : shares_) total_ += each.bytes /= 2;
  }
  notify();
}

void Arbiter::listen(const void* owner, std::function<void()> listener) {
  listeners_[owner] = std::move(listener);
}

void Arbiter::notify() const {
  for (const auto& [owner, listener] : listeners_) listener();
}

}  // namespace infiniedge::sync
