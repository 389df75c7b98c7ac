// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "record/definition.hpp"
#include "record/device_table.hpp"
#include "store/catalogue.hpp"
#include "store/memtable.hpp"
#include "store/range_set.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

struct Stream {
  StreamInfo info;
  std::map<std::uint16_t, SchemaPtr> versions;
  std::map<std::uint32_t, RangeSet> covers;  ///< By epoch; of remote streams only.
  /// The part of `covers` that the catalogue knows: only of records that the log need not keep, so
  /// that damage to the others takes their cover with it.
  std::map<std::uint32_t, RangeSet> stored_covers;
  struct FreshCover {
    std::uint64_t lsn = 0;
    std::uint32_t epoch = 0;
    std::uint64_t from = 0, to = 0;
  };
  std::vector<FreshCover> fresh_covers;  ///< The others.

  bool remote() const { return info.origin != record::GatewayId{}; }
};

struct Table {
  TableInfo info;
  std::unique_ptr<Memtable> active;
  std::unique_ptr<Memtable> frozen;  ///< On its way into a segment.
  std::uint64_t frozen_lsn = 0;      ///< All its rows are in records below.
  std::vector<SegmentPtr> segments;
  std::uint64_t sealed_lsn = 0;  ///< All rows of records below are in segments.
};

/// Everything the store knows in memory: streams, tables with their rows, devices, gaps, cursors,
/// and what of it the catalogue has yet to hear.
///
/// Thread:  the disk worker while opening, the store's shard from then on.
/// Owner:   Store.
class StoreState {
 public:
  void load(CatalogueState state);

  /// A definition from the log or a declaration: becomes the stream's newest.
  Stream& define(const record::StreamDefinition& definition);
  Stream* find(StreamId id);
  const Stream* find(StreamId id) const;
  const Stream* find(const record::GatewayId& origin, std::string_view name) const;
  StreamId new_stream_id();  ///< A different one at each call.
  static record::StreamDefinition definition(const StreamInfo& info);
  /// After recovery: the catalogue may know a version whose definition the log has lost.
  void use_newest_schemas();

  /// The table that rows of this schema and policy go to; made if there is none.
  Table& table_for(const Schema& schema, const record::StreamPolicy& policy);

  /// Rows have become durable at `lsn`: shows them, counts them.
  void add_rows(Stream& stream, Table& table, std::uint32_t epoch, const Batch& rows,
                std::uint64_t lsn, Timestamp now);
  /// Rows up to (epoch, seq) exist or are named lost.
  void advance(Stream& stream, std::uint32_t epoch, std::uint64_t seq);
  /// A record at `lsn` covers [from, to].
  static void cover(Stream& stream, std::uint32_t epoch, std::uint64_t from, std::uint64_t to,
                    std::uint64_t lsn);
  void add_gap(record::Gap gap);
  void add_device(std::uint32_t id, std::string_view name);
  /// A device that `devices` numbered by itself is durable in the log now.
  void note_device(std::uint32_t id);
  /// False: not further than what is known.
  bool advance_cursor(const Cursor& cursor);
  Cursor cursor(std::string_view peer, StreamId stream) const;

  /// LSN of the oldest record with rows outside segments; `otherwise` if there is none.
  /// `sealing`: frozen rows of this table count as sealed.
  std::uint64_t oldest_unsealed(std::uint64_t otherwise, TableId sealing = 0) const;
  std::size_t memory_bytes() const;

  /// What the catalogue has not heard, as one change; it counts as heard. Records below `lsn` need
  /// not stay in the log once it is applied.
  CatalogueChange take_dirty(std::uint64_t lsn);
  /// Whether the catalogue should hear before the next seal: of cursors and definitions.
  bool should_tell() const { return dirty_definitions_ || !dirty_cursors_.empty(); }
  /// A change that could not be applied is told again with the next one.
  void put_back(const CatalogueChange& change);

  std::map<StreamId, Stream> streams;
  std::map<TableId, Table> tables;
  std::map<std::uint32_t, std::vector<record::Gap>> gaps;  ///< By stream, by (epoch, from_seq).
  record::DeviceTable devices;
  std::uint64_t version = 0;  ///< Rises with every change that a snapshot shows.

 private:
  using StreamKey = std::pair<record::GatewayId, std::string>;
  StreamId last_id_ = 0;
  std::map<StreamKey, StreamId> by_name_;
  std::map<std::pair<std::string, StreamId>, Cursor> cursors_;

  bool dirty_definitions_ = false;
  std::set<StreamId> dirty_streams_;
  std::set<TableId> dirty_tables_;
  std::set<std::pair<StreamId, std::uint32_t>> dirty_covers_;
  std::set<std::pair<std::string, StreamId>> dirty_cursors_;
  std::vector<std::pair<std::uint32_t, std::string>> dirty_devices_;
  std::vector<record::Gap> dirty_gaps_;
};

}  // namespace infiniedge::store
