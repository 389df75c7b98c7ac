// SPDX-License-Identifier: Apache-2.0
#include "store/memtable.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "record/value.hpp"

namespace infiniedge::store {
namespace {

Chunk empty_chunk(const TableInfo& table) {
  Chunk chunk;
  chunk.rows = record::make_batch(table.schema);
  chunk.rows.label = table.label;
  chunk.min_ts = INT64_MAX;
  chunk.max_ts = INT64_MIN;
  return chunk;
}

}  // namespace

Memtable::Memtable(TableInfo table) : table_(std::move(table)), tail_(empty_chunk(table_)) {}

void Memtable::append(StreamId stream, std::uint32_t epoch, const Batch& rows, std::uint64_t lsn,
                      Timestamp now) {
  if (rows.rows() == 0) return;
  INFINIEDGE_CHECK(rows.seq.size() == rows.rows());
  if (rows_ == 0) {
    first_lsn_ = lsn;
    since_ = now;
  }
  first_lsn_ = std::min(first_lsn_, lsn);
  last_lsn_ = std::max(last_lsn_, lsn);
  for (std::size_t begin = 0; begin < rows.rows();) {
    const std::size_t room = kChunkRows - tail_.rows.rows();
    const std::size_t count = std::min(room, rows.rows() - begin);
    append_part(stream, epoch, rows, begin, count, lsn);
    begin += count;
    if (tail_.rows.rows() == kChunkRows) finish_chunk();
  }
  rows_ += rows.rows();
  bytes_ += record::row_bytes(rows);
}

void Memtable::append_part(StreamId stream, std::uint32_t epoch, const Batch& rows,
                           std::size_t begin, std::size_t count, std::uint64_t lsn) {
  const auto at = static_cast<std::uint32_t>(tail_.rows.rows());
  if (at == 0) tail_.first_lsn = lsn;
  tail_.last_lsn = lsn;
  record::append_rows(tail_.rows, rows, begin, count, tail_devices(rows));
  for (std::size_t row = at; row < at + count; ++row) {
    tail_.min_ts = std::min(tail_.min_ts, tail_.rows.ts[row]);
    tail_.max_ts = std::max(tail_.max_ts, tail_.rows.ts[row]);
  }
  if (!tail_.runs.empty() && tail_.runs.back().stream == stream &&
      tail_.runs.back().epoch == epoch) {
    tail_.runs.back().count += static_cast<std::uint32_t>(count);
  } else {
    tail_.runs.push_back({stream, epoch, at, static_cast<std::uint32_t>(count)});
  }
  add_piece(stream, {.epoch = epoch,
                     .first_seq = rows.seq[begin],
                     .last_seq = rows.seq[begin + count - 1],
                     .chunk = static_cast<std::uint32_t>(full_.size()),
                     .begin = at,
                     .count = static_cast<std::uint32_t>(count)});
  tail_copy_.reset();
}

/// Indices in the unfinished chunk of the devices of `rows`.
std::vector<std::uint32_t> Memtable::tail_devices(const Batch& rows) {
  std::vector<std::uint32_t> renamed;
  renamed.reserve(rows.devices.size());
  for (const std::string& name : rows.devices) {
    const auto next = static_cast<std::uint32_t>(tail_.rows.devices.size());
    const auto [entry, added] = tail_devices_.try_emplace(name, next);
    if (added) {
      tail_.rows.devices.push_back(name);
      bytes_ += record::name_bytes(name);
    }
    renamed.push_back(entry->second);
  }
  return renamed;
}

void Memtable::add_piece(StreamId stream, const Piece& piece) {
  auto& pieces = pieces_[stream];
  // Nearly always the last; only remote rows may come out of order.
  const auto at = std::upper_bound(pieces.begin(), pieces.end(), piece, before);
  pieces.insert(at, piece);
}

bool Memtable::before(const Piece& a, const Piece& b) {
  return std::pair(a.epoch, a.last_seq) < std::pair(b.epoch, b.last_seq);
}

void Memtable::finish_chunk() {
  full_.push_back(std::make_shared<const Chunk>(std::move(tail_)));
  tail_ = empty_chunk(table_);
  tail_devices_.clear();
  tail_copy_.reset();
}

std::vector<ChunkPtr> Memtable::chunks() {
  std::vector<ChunkPtr> out = full_;
  if (tail_.rows.rows() == 0) return out;
  if (!tail_copy_) tail_copy_ = std::make_shared<const Chunk>(tail_);
  out.push_back(tail_copy_);
  return out;
}

const Chunk& Memtable::chunk(std::size_t index) const {
  return index < full_.size() ? *full_[index] : tail_;
}

std::optional<Memtable::Next> Memtable::next(StreamId stream, std::uint32_t epoch,
                                             std::uint64_t from) const {
  const auto found = pieces_.find(stream);
  if (found == pieces_.end()) return std::nullopt;
  const auto& pieces = found->second;
  auto piece = std::lower_bound(pieces.begin(), pieces.end(),
                                Piece{.epoch = epoch, .last_seq = from}, before);
  if (piece == pieces.end()) return std::nullopt;
  Next next{piece->epoch, piece->first_seq, piece->last_seq};
  if (next.epoch == epoch && next.from < from) {
    const auto& seq = chunk(piece->chunk).rows.seq;
    const auto begin = seq.begin() + piece->begin;
    next.from = *std::lower_bound(begin, begin + piece->count, from);
  }
  while (++piece != pieces.end() && piece->epoch == next.epoch && piece->first_seq == next.to + 1) {
    next.to = piece->last_seq;
  }
  return next;
}

std::optional<Memtable::Slice> Memtable::read(StreamId stream, std::uint32_t epoch,
                                              std::uint64_t from, std::size_t max_rows) const {
  const auto found = pieces_.find(stream);
  if (found == pieces_.end() || max_rows == 0) return std::nullopt;
  const auto& pieces = found->second;
  auto piece = std::lower_bound(pieces.begin(), pieces.end(),
                                Piece{.epoch = epoch, .last_seq = from}, before);
  if (piece == pieces.end()) return std::nullopt;
  Slice slice{.epoch = piece->epoch, .rows = record::make_batch(table_.schema)};
  slice.rows.label = table_.label;
  std::uint64_t last = 0;
  for (; piece != pieces.end(); ++piece) {
    const bool joins = last == 0 || piece->first_seq == last + 1;
    if (piece->epoch != slice.epoch || !joins || slice.rows.rows() >= max_rows) break;
    const Batch& rows = chunk(piece->chunk).rows;
    std::size_t begin = piece->begin;
    while (piece->epoch == epoch && rows.seq[begin] < from) ++begin;
    const std::size_t left = piece->begin + piece->count - begin;
    const std::size_t count = std::min(left, max_rows - slice.rows.rows());
    record::append_rows(slice.rows, record::slice(rows, begin, count));
    last = piece->last_seq;
  }
  return slice;
}

std::vector<SegmentRange> Memtable::ranges() const {
  std::vector<SegmentRange> out;
  for (const auto& [stream, pieces] : pieces_) {
    for (const Piece& piece : pieces) {
      const bool joins = !out.empty() && out.back().stream == stream &&
                         out.back().epoch == piece.epoch && out.back().to + 1 == piece.first_seq;
      if (!joins) out.push_back({stream, piece.epoch, piece.first_seq, piece.last_seq, 0});
      out.back().to = piece.last_seq;
      out.back().rows += piece.count;
    }
  }
  return out;
}

}  // namespace infiniedge::store
