// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "record/value.hpp"
#include "store/seal.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store::testing {

/// Cuts rows of one stream into chunks as the memtable does.
inline std::vector<ChunkPtr> make_chunks(const Batch& rows, StreamId stream,
                                         std::uint32_t epoch = 1,
                                         std::size_t chunk_rows = kChunkRows) {
  std::vector<ChunkPtr> chunks;
  for (std::size_t at = 0; at < rows.rows(); at += chunk_rows) {
    auto chunk = std::make_shared<Chunk>();
    const std::size_t count = std::min(chunk_rows, rows.rows() - at);
    chunk->rows = record::slice(rows, at, count);
    chunk->runs = {Run{stream, epoch, 0, static_cast<std::uint32_t>(count)}};
    const auto [low, high] = std::minmax_element(chunk->rows.ts.begin(), chunk->rows.ts.end());
    chunk->min_ts = *low;
    chunk->max_ts = *high;
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

/// A directory with sealed files and rows in memory, put together by hand: for tests and
/// benchmarks of what stands on a Snapshot.
class Shelf {
 public:
  explicit Shelf(std::string dir) : snapshot_(std::make_shared<Snapshot>()) {
    std::filesystem::create_directories(dir + "/seg/.tmp");
    snapshot_->dir = std::move(dir);
    snapshot_->epoch = 1;
    snapshot_->gateway.fill(std::byte{0x11});
  }

  /// A stream in a table of its own, or in `table`, whose fields it shares.
  StreamId add_stream(SchemaPtr schema, TableId table = 0, record::StreamPolicy policy = {}) {
    const auto id = static_cast<StreamId>(snapshot_->streams.size() + 1);
    if (table == 0) {
      table = static_cast<TableId>(snapshot_->tables.size() + 1);
      auto shape = std::make_shared<Schema>(*schema);
      shape->stream.clear();
      TableView view;
      view.info = TableInfo{.id = table, .schema = shape, .lane = policy.lane, .keep = policy.keep};
      snapshot_->tables.push_back(std::move(view));
    }
    snapshot_->streams.push_back(StreamInfo{.id = id,
                                            .schema = std::move(schema),
                                            .policy = std::move(policy),
                                            .table = table,
                                            .epoch = 1});
    return id;
  }

  void remember(StreamId stream, const Batch& rows) {
    add(stream, rows);
    for (auto& chunk : make_chunks(rows, stream)) table_of(stream).chunks.push_back(chunk);
  }

  /// Seals `rows` into a file of its own.
  Result<SegmentPtr> seal(Sealer& sealer, StreamId stream, const Batch& rows) {
    add(stream, rows);
    TableView& table = table_of(stream);
    SealJob job{.gateway = snapshot_->gateway, .epoch = 1, .table = table.info};
    job.streams = {snapshot_->streams[stream - 1]};
    job.ranges = {SegmentRange{stream, 1, rows.seq.front(), rows.seq.back(), rows.rows()}};
    job.chunks = make_chunks(rows, stream);
    auto segment = std::make_shared<Segment>();
    segment->id = std::to_string(++files_);
    segment->table = table.info.id;
    segment->file = "seg/" + segment->id + sealer.extension();
    const std::string path = snapshot_->dir + "/" + segment->file;
    const std::string temporary = snapshot_->dir + "/seg/.tmp/" + segment->id + sealer.extension();
    INFINIEDGE_TRY(sealer.write(job, temporary));
    std::filesystem::rename(temporary, path);
    segment->rows = rows.rows();
    segment->bytes = std::filesystem::file_size(path);
    const auto [low, high] = std::minmax_element(rows.ts.begin(), rows.ts.end());
    segment->min_ts = *low;
    segment->max_ts = *high;
    segment->ranges = job.ranges;
    table.segments.push_back(segment);
    return SegmentPtr(segment);
  }

  Snapshot& edit() { return *snapshot_; }
  SnapshotPtr snapshot() const { return std::make_shared<Snapshot>(*snapshot_); }
  std::string path(const Segment& segment) const { return snapshot_->dir + "/" + segment.file; }
  TableView& table_of(StreamId stream) {
    return snapshot_->tables[snapshot_->streams[stream - 1].table - 1];
  }

 private:
  void add(StreamId stream, const Batch& rows) {
    StreamInfo& info = snapshot_->streams[stream - 1];
    info.last_seq = std::max(info.last_seq, rows.seq.back());
  }

  std::shared_ptr<Snapshot> snapshot_;
  int files_ = 0;
};

}  // namespace infiniedge::store::testing
