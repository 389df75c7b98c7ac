// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "record/value.hpp"
#include "store/store_impl.hpp"

namespace infiniedge::store {
namespace {

/// Rows to read so that they take about `max_bytes`.
std::size_t rows_within(std::size_t max_bytes, const Schema& schema) {
  const std::size_t row = 24 + 8 * schema.fields.size();
  return std::max<std::size_t>(1, max_bytes / row);
}

}  // namespace

/// Where a stream goes on: the first of its gaps, segments and memtables by (epoch, number).
struct Store::Impl::Source {
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
  const record::Gap* gap = nullptr;
  const Table* table = nullptr;
  SegmentPtr segment;              ///< Null with `rows`.
  const Memtable* rows = nullptr;  ///< Null with `segment`.
  StreamInfo stream;

  std::pair<std::uint32_t, std::uint64_t> place() const { return {epoch, from}; }
};

std::optional<Store::Impl::Source> Store::Impl::next_source(const Stream& stream,
                                                            std::uint32_t at_epoch,
                                                            std::uint64_t from) const {
  std::optional<Source> best;
  // What reaches beyond the position, cut to begin there.
  const auto offer = [&](Source source) {
    if (std::pair(source.epoch, source.to) < std::pair(at_epoch, from)) return;
    if (source.epoch == at_epoch) source.from = std::max(source.from, from);
    if (!best || source.place() < best->place()) best = std::move(source);
  };
  if (const auto gaps = state.gaps.find(stream.info.id); gaps != state.gaps.end()) {
    for (const record::Gap& gap : gaps->second) {
      offer({.epoch = gap.epoch, .from = gap.from_seq, .to = gap.to_seq, .gap = &gap});
    }
  }
  for (const auto& [id, table] : state.tables) {
    for (const SegmentPtr& segment : table.segments) {
      for (const SegmentRange& range : segment->ranges) {
        if (range.stream != stream.info.id) continue;
        offer({.epoch = range.epoch,
               .from = range.from,
               .to = range.to,
               .table = &table,
               .segment = segment});
      }
    }
    for (const Memtable* rows : {table.frozen.get(), table.active.get()}) {
      if (rows == nullptr) continue;
      if (const auto next = rows->next(stream.info.id, at_epoch, from)) {
        offer({.epoch = next->epoch,
               .from = next->from,
               .to = next->to,
               .table = &table,
               .rows = rows});
      }
    }
  }
  if (best) best->stream = stream.info;
  return best;
}

Task<Result<Batch>> Store::Impl::read_segment(Source source, std::size_t max_rows) {
  SegmentReader* reader = source.segment->is_ieb() ? &ieb_reader_ : nullptr;
  for (SegmentReader* candidate : env.readers) {
    if (reader == nullptr && candidate->reads(*source.segment)) reader = candidate;
  }
  if (reader == nullptr) {
    co_return Error{Code::Unavailable, fmt::format("nothing here can read {}; install the DuckDB "
                                                   "library",
                                                   source.segment->file)};
  }
  const TableInfo table = source.table->info;
  const std::string file = path(source.segment->file);
  auto job = [&source, &table, &file, reader, max_rows] {
    return reader->read(*source.segment, file, table, source.stream, source.epoch, source.from,
                        source.to, max_rows);
  };
  co_return co_await runtime::run_on(*env.compute, job);
}

Task<Result<std::vector<OutboxItem>>> Store::Impl::read_outbox(StreamId id, std::uint32_t at_epoch,
                                                               std::uint64_t after,
                                                               std::size_t max_rows,
                                                               std::size_t max_bytes) {
  std::vector<OutboxItem> out;
  std::size_t bytes = 0, rows = 0;
  std::uint64_t from = after + 1;
  while (out.empty() || (rows < max_rows && bytes < max_bytes)) {
    const Stream* stream = state.find(id);
    if (stream == nullptr) {
      co_return Error{Code::NotFound, fmt::format("stream {} is not declared", id)};
    }
    auto source = next_source(*stream, at_epoch, from);
    if (!source) break;
    OutboxItem item{.stream = id, .epoch = source->epoch, .from = source->from, .to = source->to};
    if (source->gap != nullptr) {
      item.gap = *source->gap;
    } else {
      const std::size_t budget = max_bytes - std::min(bytes, max_bytes);
      const std::size_t want = std::clamp<std::size_t>(rows_within(budget, *stream->info.schema), 1,
                                                       std::max<std::size_t>(max_rows - rows, 1));
      if (source->rows != nullptr) {
        item.rows = source->rows->read(id, source->epoch, source->from, want)->rows;
      } else {
        auto read = co_await read_segment(*source, want);
        if (!read) co_return std::move(read).error();
        item.rows = std::move(*read);
      }
      // A segment range may name numbers that were withheld; all that was asked for is then read.
      if (item.rows.rows() >= want) item.to = item.rows.seq.back();
      rows += item.rows.rows();
      bytes += record::memory_bytes(item.rows);
    }
    at_epoch = item.epoch;
    from = item.to + 1;
    out.push_back(std::move(item));
  }
  co_return out;
}

Backlog Store::Impl::backlog(std::string_view peer, StreamId id) const {
  const Stream* stream = state.find(id);
  if (stream == nullptr) return {};
  const StreamInfo& info = stream->info;
  const Cursor cursor = state.cursor(peer, id);
  Backlog backlog{.rows = cursor.epoch == info.epoch
                              ? info.last_seq - std::min(cursor.hwm, info.last_seq)
                              : info.last_seq};
  const auto source = next_source(*stream, cursor.epoch, cursor.hwm + 1);
  if (source && source->rows != nullptr) {
    const auto first = source->rows->read(id, source->epoch, source->from, 1);
    backlog.oldest_ts = first->rows.ts.front();
  } else if (source && source->segment) {
    backlog.oldest_ts = source->segment->min_ts;
  }
  return backlog;
}

}  // namespace infiniedge::store
