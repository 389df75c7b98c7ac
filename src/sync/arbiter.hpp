// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>

#include "infiniedge/time.hpp"
#include "record/definition.hpp"
#include "sync/frame.hpp"

namespace infiniedge::sync {

/// Decides which lane goes next, over all connections of an uplink: alarm before high before
/// normal before bulk, and a twentieth of the bytes for each so that none starves.
///
/// Thread: the uplink's shard.
class Arbiter {
 public:
  /// Says whether `lane` has something to send and credit to send it.
  void offer(record::Lane lane, bool ready, Instant now);
  /// The lane in [first, last] that may send now, if any.
  std::optional<record::Lane> pick(record::Lane first, record::Lane last, Instant now) const;
  void sent(record::Lane lane, std::size_t bytes, Instant now);
  /// Calls `listener` when pick() may answer differently; `owner` names it for removal.
  void listen(const void* owner, std::function<void()> listener);
  void forget(const void* owner) { listeners_.erase(owner); }

 private:
  struct Share {
    bool ready = false;
    std::uint64_t bytes = 0;
    Instant active{};  ///< When it last sent or became ready.
  };
  bool starved(const Share& share) const;
  void notify() const;

  std::array<Share, kLanes> shares_{};
  std::uint64_t total_ = 0;
  std::map<const void*, std::function<void()>> listeners_;
};

}  // namespace infiniedge::sync
