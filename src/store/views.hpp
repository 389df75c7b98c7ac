// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/duckdb_session.hpp"
#include "store/prune.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

/// A small table that the product shows in SQL: what is configured or known now.
struct SystemView {
  std::vector<std::pair<std::string, std::string>> columns;   ///< Name and SQL type.
  std::vector<std::vector<std::optional<std::string>>> rows;  ///< Text that casts to the type.
};

/// Loads the rows of a sealed file that DuckDB cannot read.
using ChunkLoader = std::function<Result<std::vector<ChunkPtr>>(
    const Segment& segment, const std::string& path, const TableInfo& table)>;

/// Makes the temporary views of one query on its connection, and keeps alive what they read.
///
/// Thread: the worker that runs the query.
/// Owner:  the query; outlives its rows.
class Views {
 public:
  Views(DuckConnection& connection, SnapshotPtr snapshot, ChunkLoader loader)
      : connection_(connection), snapshot_(std::move(snapshot)), loader_(std::move(loader)) {}

  /// View `name` over all rows of the streams called `stream` that may lie in `range`: sealed
  /// files and memory, in the newest shape. Where another gateway numbered rows, columns `_epoch`
  /// and `_gateway` follow.
  Result<void> make_stream(const std::string& name, std::string_view stream,
                           const TimeRange& range);
  Result<void> make_system(const std::string& name, const SystemView& view);

 private:
  struct Shape;
  Result<void> add_table(const TableView& table, const std::vector<const StreamInfo*>& streams,
                         const TimeRange& range, const Shape& shape,
                         std::vector<std::string>& parts);
  void add_memory(const TableView& table, std::vector<ChunkPtr> chunks,
                  const std::vector<const StreamInfo*>& streams, const TimeRange& range,
                  const Shape& shape, std::vector<std::string>& parts);

  DuckConnection& connection_;
  SnapshotPtr snapshot_;
  ChunkLoader loader_;
  std::vector<MemSourceLease> leases_;
};

/// What the snapshot itself shows: "streams", "segments" or "gaps"; nothing for another name.
std::optional<SystemView> snapshot_view(const Snapshot& snapshot, std::string_view name);

}  // namespace infiniedge::store
