// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infiniedge/batch.hpp"
#include "record/definition.hpp"

namespace infiniedge::store {

using StreamId = std::uint32_t;  ///< Given by the store, for ever; from 1.
using TableId = std::uint32_t;   ///< Streams of equal fields, label, lane and keep; from 1.

/// A stream as it stands. On a hub, streams of several gateways share a name: `origin` tells
/// them apart, and their rows keep the epoch and `_seq` that the origin gave.
struct StreamInfo {
  StreamId id = 0;
  record::GatewayId origin{};  ///< All zero: this node.
  SchemaPtr schema;            ///< The newest version; its `stream` is the SQL name.
  record::StreamPolicy policy;
  TableId table = 0;        ///< Where new rows go; older versions may lie in other tables.
  std::uint32_t epoch = 0;  ///< Of the newest row.
  std::uint64_t last_seq = 0;
};

/// Consecutive rows of one stream within a chunk.
struct Run {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint32_t begin = 0, count = 0;  ///< Rows of the chunk.
};

/// Up to 8,192 rows of one table in append order, durable and immutable.
struct Chunk {
  Batch rows;             ///< Schema of the table (its `stream` is empty); `seq` is filled.
  std::vector<Run> runs;  ///< Cover all rows, in order.
  std::int64_t min_ts = 0, max_ts = 0;
  std::uint64_t first_lsn = 0, last_lsn = 0;  ///< Records that hold the first and the last row.
};
using ChunkPtr = std::shared_ptr<const Chunk>;
constexpr std::size_t kChunkRows = 8192;

/// Sequence numbers [from, to] of one stream within a segment: no row of it lies elsewhere,
/// though rows may be missing in it (withheld by the sender, or named by a Gap).
struct SegmentRange {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
  std::uint64_t rows = 0;
};

/// A sealed file. Immutable; whoever holds the pointer pins the file.
struct Segment {
  std::string id;  ///< Unique name: `<first lsn:020>-<sha256, 16 hex>`.
  TableId table = 0;
  std::string file;  ///< Relative to the store's directory; ends in .parquet or .ieb.
  std::uint64_t rows = 0, bytes = 0;
  std::int64_t min_ts = 0, max_ts = 0;
  std::string sha256;  ///< Hex.
  std::string set_id;  ///< Files acknowledged as one share it; empty: alone.
  std::vector<SegmentRange> ranges;

  bool is_ieb() const { return file.ends_with(".ieb"); }
};
using SegmentPtr = std::shared_ptr<const Segment>;

/// What streams of equal shape share.
struct TableInfo {
  TableId id = 0;
  SchemaPtr schema;  ///< `stream` is empty.
  LabelId label = LabelId::Default;
  record::Lane lane = record::Lane::Normal;
  Micros keep{0};
};

/// One table at one moment: its segments and the rows above them.
struct TableView {
  TableInfo info;
  std::vector<SegmentPtr> segments;
  std::vector<ChunkPtr> chunks;  ///< Rows in no segment yet, in append order.
};

/// Everything durable at one moment. A value of shared pointers: cheap to keep, safe on any
/// thread; while it lives, no file in it is unlinked and no row in it changes.
struct Snapshot {
  record::GatewayId gateway{};
  std::uint32_t epoch = 0;
  std::string dir;  ///< Absolute; Segment::file is relative to it.
  std::vector<StreamInfo> streams;
  std::vector<TableView> tables;
  std::vector<record::Gap> gaps;
  std::uint64_t lsn = 0;

  const StreamInfo* stream(StreamId id) const;
  const TableView* table(TableId id) const;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace infiniedge::store
