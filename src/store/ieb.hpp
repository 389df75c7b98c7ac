// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/disk.hpp"
#include "store/segment.hpp"

namespace infiniedge::store {

/// A sealed table as blocks (docs/formats/block.md): what a frozen memtable becomes where Parquet
/// cannot be written. Rows stand by stream, epoch and `_seq`, so that the outbox reads them in
/// passing; a footer says which frame holds which.
///
/// Thread:  compute workers; blocking.
/// Owner:   Store. The disk outlives it.
/// Errors:  Corrupt when a checksum or length contradicts, else those of the disk.
class IebSealer final : public Sealer {
 public:
  explicit IebSealer(runtime::Disk& disk) : disk_(disk) {}
  std::string extension() const override { return ".ieb"; }
  Result<void> write(const SealJob& job, const std::string& path) override;

 private:
  runtime::Disk& disk_;
};

class IebReader final : public SegmentReader {
 public:
  explicit IebReader(runtime::Disk& disk) : disk_(disk) {}
  bool reads(const Segment& segment) const override { return segment.is_ieb(); }
  Result<Batch> read(const Segment& segment, const std::string& path, const TableInfo& table,
                     const StreamInfo& stream, std::uint32_t epoch, std::uint64_t from,
                     std::uint64_t to, std::size_t max_rows) override;

 private:
  runtime::Disk& disk_;
};

/// The rows of a whole file as chunks, for queries and resealing.
Result<std::vector<ChunkPtr>> load_ieb(runtime::Disk& disk, const std::string& path,
                                       const TableInfo& table);

}  // namespace infiniedge::store
