// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "runtime/entropy.hpp"
#include "sync/outbox.hpp"

namespace infiniedge::sync::testing {

/// A store's outbox in memory, which survives the gateways that a test starts and stops over it.
/// Each row has one field, `value`, a number that no other row has.
///
/// Thread: one shard.
class MemoryOutbox {
 public:
  MemoryOutbox(runtime::Entropy& entropy, record::GatewayId gateway)
      : entropy_(entropy), gateway_(gateway) {}

  store::StreamId declare(const std::string& name, record::Lane lane, const std::string& uplink);
  /// The configuration changed: who receives the stream from now on.
  void route(store::StreamId stream, std::vector<std::string> uplinks) {
    streams_.at(stream).info.policy.uplinks = std::move(uplinks);
  }
  /// Durable at once, and said to who listens.
  void append(store::StreamId stream, std::size_t rows);
  /// Loses the first rows, named by a Gap or (silently expired) not.
  void evict(store::StreamId stream, std::size_t rows, bool named);
  /// What a power cut does: the youngest rows and cursors of up to a second are gone. With
  /// `lying` also rows that had been acknowledged.
  void crash(std::size_t lost_rows);
  /// A view for one uplink; this object outlives it.
  std::unique_ptr<Outbox> view();

  struct Row {
    std::uint32_t epoch = 0;
    std::uint64_t seq = 0;
    std::int64_t value = 0;
    auto operator<=>(const Row&) const = default;
  };
  const std::vector<Row>& rows(store::StreamId stream) const { return streams_.at(stream).rows; }
  std::uint32_t epoch() const { return epoch_; }
  bool drained(const std::string& peer) const;

 private:
  class View;
  struct Stream {
    store::StreamInfo info;
    std::vector<Row> rows;  ///< Ascending by (epoch, seq).
    std::vector<record::Gap> gaps;
  };
  using Listener = std::function<void(store::StreamId)>;
  std::vector<store::OutboxItem> read(const Stream& stream, std::uint32_t epoch,
                                      std::uint64_t after, std::size_t max_rows);

  runtime::Entropy& entropy_;
  record::GatewayId gateway_;
  std::uint32_t epoch_ = 1;
  std::int64_t next_value_ = 1;
  std::map<store::StreamId, Stream> streams_;
  std::map<std::pair<std::string, store::StreamId>, std::vector<store::Cursor>> cursors_;
  std::list<Listener> listeners_;
};

}  // namespace infiniedge::sync::testing
