// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "store/duckdb_session.hpp"
#include "store/segment.hpp"

namespace infiniedge::store {

/// Writes frozen tables as Parquet, sorted by (stream, device, ts, _seq); docs/formats/segment.md.
///
/// Thread:  a compute worker, one job at a time; blocking.
/// Owner:   app; outlives the store. `duckdb` outlives it.
/// Errors:  Exhausted (no space, memory); Unavailable (library missing, or I/O).
class ParquetSealer final : public Sealer {
 public:
  explicit ParquetSealer(DuckDb& duckdb) : duckdb_(duckdb) {}
  std::string extension() const override { return ".parquet"; }
  Result<void> write(const SealJob& job, const std::string& path) override;

 private:
  DuckDb& duckdb_;
};

/// Reads rows back from sealed Parquet, in `_seq` order.
///
/// Files are sorted by device and time, so a piece of the sequence lies all over one: it is read
/// in windows of 65,536 numbers, and the last window is kept for the next call.
/// Thread: a compute worker. Owner: app; outlives the store.
class ParquetReader final : public SegmentReader {
 public:
  explicit ParquetReader(DuckDb& duckdb) : duckdb_(duckdb) {}
  bool reads(const Segment& segment) const override { return segment.file.ends_with(".parquet"); }
  Result<Batch> read(const Segment& segment, const std::string& path, const TableInfo& table,
                     const StreamInfo& stream, std::uint32_t epoch, std::uint64_t from,
                     std::uint64_t to, std::size_t max_rows) override;

 private:
  struct Window {
    std::string segment;
    StreamId stream = 0;
    std::uint32_t epoch = 0;
    std::uint64_t from = 0, to = 0;
    Batch rows;
  };
  Result<void> load(const Segment& segment, const std::string& path, const TableInfo& table,
                    const StreamInfo& stream, std::uint32_t epoch, std::uint64_t from);

  DuckDb& duckdb_;
  std::mutex mutex_;
  std::optional<Window> window_;
};

}  // namespace infiniedge::store
