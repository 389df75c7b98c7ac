// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
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
  /// A block as the log holds it.
  struct Rows {
    RecordHeader header;
    std::uint32_t epoch = 0;
    std::string block;
  };
  Result<void> define(base::ByteView payload);
  Result<void> batch(const RecordHeader& header, base::ByteView payload);
  Result<void> hub_batch(const RecordHeader& header, base::ByteView payload);
  Result<void> add(Rows rows);
  Result<void> try_add(const Rows& rows);
  void add_deferred();
  bool name_lost_devices(const Rows& rows);
  std::vector<RangeSet::Range> holes(const Stream& stream, std::uint32_t epoch) const;

  StoreState& state_;
  Timestamp now_;
  std::uint32_t epoch_ = 0;
  std::uint64_t corrupt_bytes_ = 0;
  std::vector<Rows> deferred_;
  using Numbering = std::pair<StreamId, std::uint32_t>;  ///< Stream and epoch.
  std::map<Numbering, RangeSet> seen_;                   ///< Rows in records that are whole.
  /// By epoch: first numbers in what may be headers of damaged records.
  std::map<std::uint32_t, std::vector<std::uint64_t>> suspects_;
};

}  // namespace infiniedge::store
