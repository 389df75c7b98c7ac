// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "device/value.hpp"

namespace infiniedge::device {

/// The last value of every point of one device, for the API and for deadbands.
///
/// Flow:   row -> [Latest] -> status
/// Thread: the device's shard.
/// Owner:  the supervisor; outlives the connector, so that values survive a reconnect.
class Latest {
 public:
  struct Entry {
    Value value;  ///< In units. Kept when the point turns bad.
    Quality quality = Quality::Bad;
    std::string_view reason = kBadWaitingForInitialData;
    Timestamp time{};
  };

  explicit Latest(std::size_t points) : entries_(points) {}

  void update(std::size_t point, const Cell& cell, Timestamp time) {
    auto& entry = entries_[point];
    if (cell.value.index() != 0) entry.value = cell.value;
    entry.quality = cell.quality;
    entry.reason = cell.reason;
    entry.time = time;
  }
  /// The link is gone: what is known is the last usable value, or nothing.
  void lost() {
    for (auto& entry : entries_) {
      const bool known = entry.value.index() != 0;
      entry.quality = known ? Quality::Uncertain : Quality::Bad;
      entry.reason = known ? "UncertainNoCommunicationLastUsableValue" : kBadNoCommunication;
    }
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace infiniedge::device
