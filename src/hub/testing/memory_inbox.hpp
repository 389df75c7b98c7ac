// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hub/inbox.hpp"
#include "runtime/entropy.hpp"

namespace infiniedge::hub::testing {

/// A hub's store in memory, which survives the hubs that a test starts and stops over it. Rows and
/// their cover appear together, a while after they were handed in, or (crash) never.
///
/// Thread: one shard.
class MemoryInbox {
 public:
  explicit MemoryInbox(runtime::Entropy& entropy) : entropy_(entropy) {}

  /// A view for one hub; this object outlives it.
  std::unique_ptr<Inbox> view();
  /// What was handed in and has not appeared never does: those appends fail.
  void crash() { ++life_; }
  /// A new, empty disk.
  void wipe() { streams_.clear(); }

  struct Row {
    std::uint32_t epoch = 0;
    std::uint64_t seq = 0;
    std::int64_t value = 0;
    auto operator<=>(const Row&) const = default;
  };
  /// All rows of a stream in the order of arrival, repeated ones included.
  std::vector<Row> rows(const std::string& name, const record::GatewayId& origin) const;
  const std::vector<record::Gap>& gaps() const { return gaps_; }
  /// The next appends fail with this code, once each.
  std::vector<Code> failures;

 private:
  class View;
  struct Stream {
    store::StreamInfo info;
    std::map<std::uint32_t, sync::Ranges> covered;
    std::vector<Row> rows;
  };
  Task<Result<void>> settle();

  runtime::Entropy& entropy_;
  std::uint64_t life_ = 0;
  std::map<store::StreamId, Stream> streams_;
  std::vector<record::Gap> gaps_;
};

}  // namespace infiniedge::hub::testing
