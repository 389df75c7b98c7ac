// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

class DuckConnection;

/// Columns that every table has in SQL and in Parquet, before its own fields.
constexpr std::string_view kFixedColumns[] = {"device", "ts", "_seq", "_q", "_stream", "_epoch"};
/// Field id of `_epoch` in Parquet files.
constexpr std::uint16_t kEpochField = 6;

/// SQL type of a field: DECIMAL(9|18, scale), BIGINT, DOUBLE, BOOLEAN, VARCHAR or BLOB.
std::string sql_type(const Field& field);

/// The value of `_stream`: the stream's name, and @gateway where another one numbered the rows.
std::string stream_tag(const StreamInfo& stream);
/// Canonical text of a gateway id: 8-4-4-4-12 hex digits.
std::string gateway_text(const record::GatewayId& id);

/// Rows in memory that ie_mem(id, from_us, to_us) reads. Immutable.
struct MemSource {
  TableInfo table;
  std::vector<ChunkPtr> chunks;
  std::map<StreamId, std::string> tags;  ///< `_stream` of the rows to read; others are skipped.
  bool sorted = false;  ///< By (`_stream`, device, ts, `_seq`), for sealing; else as appended.
};

/// Sources by number, while a statement uses them.
///
/// Thread: any. Owner: DuckDatabase.
class MemSources {
 public:
  std::int64_t add(std::shared_ptr<const MemSource> source);
  void remove(std::int64_t id);
  std::shared_ptr<const MemSource> find(std::int64_t id) const;

 private:
  mutable std::mutex mutex_;
  std::int64_t last_ = 0;
  std::map<std::int64_t, std::shared_ptr<const MemSource>> sources_;
};

/// Keeps a source registered while it lives.
class MemSourceLease {
 public:
  MemSourceLease(MemSources& sources, std::shared_ptr<const MemSource> source)
      : sources_(&sources), id_(sources.add(std::move(source))) {}
  MemSourceLease(MemSourceLease&& other) noexcept : sources_(other.sources_), id_(other.id_) {
    other.sources_ = nullptr;
  }
  MemSourceLease& operator=(MemSourceLease&&) = delete;
  ~MemSourceLease() {
    if (sources_ != nullptr) sources_->remove(id_);
  }
  std::int64_t id() const { return id_; }

 private:
  MemSources* sources_;
  std::int64_t id_;
};

/// Makes ie_mem known to the database of `connection`. `sources` outlives that database.
Result<void> register_mem_scan(DuckConnection& connection, MemSources& sources);

}  // namespace infiniedge::store
