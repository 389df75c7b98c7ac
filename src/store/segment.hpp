// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

/// A frozen table on its way to a file.
struct SealJob {
  record::GatewayId gateway{};
  std::uint32_t epoch = 0;
  TableInfo table;
  std::vector<StreamInfo> streams;  ///< Those with rows in `chunks`.
  std::vector<SegmentRange> ranges;
  std::vector<ChunkPtr> chunks;  ///< At least one row.
};

/// Writes frozen tables as files.
///
/// Flow:    memtable -> [Sealer] -> seg/.tmp -> (the store syncs, hashes, renames, records)
/// Thread:  a compute worker, one job at a time; blocking.
/// Owner:   app; outlives the store.
/// Errors:  Exhausted is retried later; any other code makes the store write .ieb instead.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual std::string extension() const = 0;  ///< ".parquet".
  /// Writes the whole of `job` to `path`, absolute, which does not exist. Need not sync it, and
  /// may leave it behind on failure: the store unlinks it.
  virtual Result<void> write(const SealJob& job, const std::string& path) = 0;
};

/// Reads rows back from sealed files of one format: for the outbox.
///
/// Thread:  a compute worker; blocking.
/// Owner:   app; outlives the store.
/// Errors:  Corrupt, Unavailable (library missing), NotFound.
class SegmentReader {
 public:
  virtual ~SegmentReader() = default;
  virtual bool reads(const Segment& segment) const = 0;
  /// Rows of `stream` in `epoch` with from ≤ _seq ≤ to, in `_seq` order, at most `max_rows`, in
  /// the table's schema, `seq` filled. `path` is absolute. No such row: an empty batch.
  virtual Result<Batch> read(const Segment& segment, const std::string& path,
                             const TableInfo& table, const StreamInfo& stream, std::uint32_t epoch,
                             std::uint64_t from, std::uint64_t to, std::size_t max_rows) = 0;
};

}  // namespace infiniedge::store
