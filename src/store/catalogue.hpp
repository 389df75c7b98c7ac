// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infiniedge/result.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

/// How far `peer` has acknowledged a stream: all rows of `epoch` up to `hwm`, and all earlier
/// epochs.
struct Cursor {
  std::string peer;
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t hwm = 0;
};

/// Sequence numbers [from, to] of a remote stream that this hub has taken, rows or not.
struct Cover {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
};

/// What the catalogue knows when the store opens.
struct CatalogueState {
  record::GatewayId gateway{};  ///< All zero: new.
  std::uint32_t epoch = 0;
  std::uint64_t durable_lsn = 0;
  std::vector<StreamInfo> streams;
  std::vector<std::pair<StreamId, SchemaPtr>> schemas;  ///< Every version.
  std::vector<TableInfo> tables;
  std::map<TableId, std::uint64_t> sealed_lsn;  ///< Below it, a table's rows are in segments.
  std::map<std::uint32_t, std::string> devices;
  std::vector<SegmentPtr> segments;
  std::vector<record::Gap> gaps;
  std::vector<Cursor> cursors;
  std::vector<Cover> covers;
};

/// What one transaction changes. Empty parts change nothing.
struct CatalogueChange {
  record::GatewayId gateway{};      ///< Not all zero: set it.
  std::uint32_t epoch = 0;          ///< Not 0: set it.
  std::uint64_t durable_lsn = 0;    ///< Not 0: set it.
  std::vector<StreamInfo> streams;  ///< Inserted or replaced, with the schema version.
  std::vector<TableInfo> tables;
  std::vector<std::pair<std::uint32_t, std::string>> devices;
  std::vector<SegmentPtr> add_segments;
  std::vector<std::string> drop_segments;  ///< By id.
  std::map<TableId, std::uint64_t> sealed_lsn;
  std::vector<record::Gap> gaps;
  std::vector<Cursor> cursors;
  std::vector<Cover> covers;  ///< Replace all covers of the (stream, epoch)s named here.
};

/// The index of what lies in the directory. It can be made again from segments and log.
///
/// Thread:  the disk worker; blocking.
/// Owner:   Store.
/// Errors:  Unavailable, Exhausted, Corrupt (catalogue.db damaged: says to
///          restore it).
class Catalogue {
 public:
  virtual ~Catalogue() = default;
  virtual Result<CatalogueState> load() = 0;
  /// All or nothing, durable on return.
  virtual Result<void> apply(const CatalogueChange& change) = 0;
};

/// SQLite in `path`, WAL, synchronous=FULL; created if absent.
Result<std::unique_ptr<Catalogue>> open_catalogue(const std::string& path);

}  // namespace infiniedge::store
