// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "infiniedge/time.hpp"
#include "store/log.hpp"
#include "store/store_state.hpp"

namespace infiniedge::store {

/// Rebuilds the state above the segments from the log's records.
///
/// Flow:    log -> [StoreRecovery] -> state
/// Thread:  the disk worker, while the store opens.
/// Errors:  Corrupt when a record whose checksum holds cannot be read: it was written by a newer
///          version, or the catalogue belongs to another log.
class StoreRecovery final : public LogSink {
 public:
  StoreRecovery(StoreState& state, Timestamp now) : state_(state), now_(now) {}

  void file(const FileHeader& header) override { epoch_ = header.epoch; }
  Result<void> record(const RecordHeader& header, base::ByteView payload) override;
  void corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) override;

  /// Losses that no Gap names yet: they have been added to the state, and belong into the log.
  std::vector<record::Gap> finish();
  std::uint64_t corrupt_bytes() const { return corrupt_bytes_; }

 private:
  struct Hole {
    std::uint32_t epoch = 0;
    std::uint64_t from = 0, to = 0;
  };
  Result<void> define(base::ByteView payload);
  Result<void> batch(const RecordHeader& header, base::ByteView payload);
  Result<void> hub_batch(const RecordHeader& header, base::ByteView payload);
  Result<void> add(const RecordHeader& header, Stream& stream, std::uint32_t epoch,
                   base::ByteView block);
  Result<Stream*> stream_of(const RecordHeader& header);
  bool named(StreamId stream, const Hole& hole) const;

  StoreState& state_;
  Timestamp now_;
  std::uint32_t epoch_ = 0;
  std::uint64_t corrupt_bytes_ = 0;
  std::map<StreamId, std::vector<Hole>> holes_;
  /// Where damaged records of a stream seem to have begun: its rows up to one block may be lost
  /// without a later record to show the hole.
  std::map<StreamId, Hole> suspects_;
};

}  // namespace infiniedge::store
