// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/snapshot.hpp"

namespace infiniedge::store {

/// Rows of one table that are durable in the log but not yet in a segment.
///
/// Flow:    log -> [Memtable] -> snapshot, outbox, sealer
/// Thread:  the store's shard; chunks, once given out, are immutable and may go anywhere.
/// Owner:   Store.
class Memtable {
 public:
  explicit Memtable(TableInfo table);

  /// Takes durable rows. `rows.seq` is filled, ascending; fields equal the table's.
  void append(StreamId stream, std::uint32_t epoch, const Batch& rows, std::uint64_t lsn,
              Timestamp now);

  /// All chunks; the unfinished last one is copied (once for each change).
  std::vector<ChunkPtr> chunks();
  /// Rows of `stream` from the first with (epoch, seq) ≥ (`epoch`, `from`): of one epoch, up to the
  /// first hole between batches, at most `max_rows`. Nothing: none here.
  struct Slice {
    std::uint32_t epoch = 0;
    Batch rows;
  };
  std::optional<Slice> read(StreamId stream, std::uint32_t epoch, std::uint64_t from,
                            std::size_t max_rows) const;
  /// Where read() would begin, and where the numbers that follow it without a hole end.
  struct Next {
    std::uint32_t epoch = 0;
    std::uint64_t from = 0, to = 0;
  };
  std::optional<Next> next(StreamId stream, std::uint32_t epoch, std::uint64_t from) const;
  /// By stream, epoch and number; each without a hole between batches.
  std::vector<SegmentRange> ranges() const;

  const TableInfo& table() const { return table_; }
  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t first_lsn() const { return first_lsn_; }  ///< Of the oldest row; 0 rows: 0.
  std::uint64_t last_lsn() const { return last_lsn_; }
  Timestamp since() const { return since_; }  ///< When the oldest row came.

 private:
  struct Piece {  ///< Consecutive sequence numbers of one stream within one chunk.
    std::uint32_t epoch = 0;
    std::uint64_t first_seq = 0, last_seq = 0;
    std::uint32_t chunk = 0, begin = 0, count = 0;
  };
  void append_part(StreamId stream, std::uint32_t epoch, const Batch& rows, std::size_t begin,
                   std::size_t count, std::uint64_t lsn);
  std::vector<std::uint32_t> tail_devices(const Batch& rows);
  void add_piece(StreamId stream, const Piece& piece);
  static bool before(const Piece& a, const Piece& b);
  void finish_chunk();
  const Chunk& chunk(std::size_t index) const;

  TableInfo table_;
  std::vector<ChunkPtr> full_;
  Chunk tail_;
  ChunkPtr tail_copy_;
  std::unordered_map<std::string, std::uint32_t> tail_devices_;
  std::map<StreamId, std::vector<Piece>> pieces_;  ///< By epoch and number.
  std::size_t rows_ = 0, bytes_ = 0;
  std::uint64_t first_lsn_ = 0, last_lsn_ = 0;
  Timestamp since_{};
};

}  // namespace infiniedge::store
