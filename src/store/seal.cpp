// SPDX-License-Identifier: Apache-2.0
#include "store/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "record/value.hpp"
#include "store/batch_reader.hpp"

namespace infiniedge::store {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min() + 1;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

void append(std::string& out, std::string_view separator, std::string_view item) {
  if (!out.empty()) out += separator;
  out += item;
}

const StreamInfo* find(const SealJob& job, StreamId id) {
  for (const StreamInfo& stream : job.streams) {
    if (stream.id == id) return &stream;
  }
  return nullptr;
}

/// "boiler:1-1000000 pump_7:2/1-40": a number and a slash where the epoch is not the file's.
std::string ranges_text(const SealJob& job) {
  std::string out;
  for (const SegmentRange& range : job.ranges) {
    const StreamInfo* stream = find(job, range.stream);
    if (stream == nullptr) continue;
    const std::string epoch =
        range.epoch == job.epoch ? std::string() : fmt::format("{}/", range.epoch);
    append(out, " ", fmt::format("{}:{}{}-{}", stream_tag(*stream), epoch, range.from, range.to));
  }
  return out;
}

std::string metadata(const SealJob& job) {
  std::int64_t min_ts = kMax, max_ts = kMin;
  std::size_t rows = 0;
  for (const ChunkPtr& chunk : job.chunks) {
    min_ts = std::min(min_ts, chunk->min_ts);
    max_ts = std::max(max_ts, chunk->max_ts);
    rows += chunk->rows.rows();
  }
  std::string units;
  for (const Field& field : job.table.schema->fields) {
    if (!field.unit.empty()) append(units, " ", field.name + "=" + field.unit);
  }
  int version = 0;
  for (const StreamInfo& stream : job.streams)
    version = std::max<int>(version, stream.schema->version);
  const std::pair<std::string_view, std::string> entries[] = {
      {"format", "1"},
      {"gateway", gateway_text(job.gateway)},
      {"epoch", fmt::format("{}", job.epoch)},
      {"ranges", ranges_text(job)},
      {"schema_version", fmt::format("{}", version)},
      {"rows", fmt::format("{}", rows)},
      {"ts", fmt::format("{}-{}", min_ts, max_ts)},
      {"label", fmt::format("{}", static_cast<int>(job.table.label))},
      {"units", units},
      {"tz", "UTC"}};
  std::string out;
  for (const auto& [key, value] : entries) {
    append(out, ", ",
           fmt::format("{}: {}", sql_text(fmt::format("infiniedge.{}", key)), sql_text(value)));
  }
  return out;
}

std::string copy_statement(const SealJob& job, std::int64_t source, const std::string& path) {
  constexpr std::uint16_t kIds[] = {kDeviceField,  kTsField,     kSeqField,
                                    kQualityField, kStreamField, kEpochField};
  static_assert(std::size(kIds) == std::size(kFixedColumns));
  std::string columns, ids;
  for (std::size_t i = 0; i < std::size(kIds); ++i) {
    append(columns, ", ", kFixedColumns[i]);
    append(ids, ", ", fmt::format("{}: {}", sql_name(kFixedColumns[i]), kIds[i]));
  }
  bool floats = false;
  for (const Field& field : job.table.schema->fields) {
    append(columns, ", ", sql_name(field.name));
    append(ids, ", ", fmt::format("{}: {}", sql_name(field.name), field.id));
    floats = floats || field.type == Type::Float;
  }
  // Past the limit come delta encodings, which halve decimals; doubles have none worth having.
  return fmt::format(
      "COPY (SELECT {} FROM ie_mem({}, {}, {})) TO {} (FORMAT parquet, PARQUET_VERSION V2, "
      "COMPRESSION zstd, {}ROW_GROUP_SIZE 122880, FIELD_IDS {{{}}}, KV_METADATA {{{}}})",
      columns, source, kMin, kMax, sql_text(path), floats ? "" : "DICTIONARY_SIZE_LIMIT 256, ", ids,
      metadata(job));
}

// DuckDB says "IO Error: … No space left on device"; the store retries Exhausted later.
Error seal_error(Error error) {
  const bool full = error.message().find("No space left") != std::string::npos;
  return {full ? Code::Exhausted : error.code(), "cannot write a segment", std::move(error)};
}

// --- Reading ----------------------------------------------------------------------------------

constexpr std::uint64_t kWindow = 65'536;

}  // namespace

Result<void> ParquetSealer::write(const SealJob& job, const std::string& path) {
  auto database = duckdb_.database();
  if (!database) return std::move(database).error();
  auto connection = DuckConnection::open(*database);
  if (!connection) return std::move(connection).error();
  auto source = std::make_shared<MemSource>();
  source->table = job.table;
  source->chunks = job.chunks;
  source->sorted = true;
  for (const StreamInfo& stream : job.streams) source->tags[stream.id] = stream_tag(stream);
  std::uint64_t rows = 0;
  for (const ChunkPtr& chunk : job.chunks) rows += chunk->rows.rows();
  const MemSourceLease lease((*database)->sources(), std::move(source));
  auto written = connection->copy(copy_statement(job, lease.id(), path));
  // The log forgets these rows next: the file must hold them all.
  if (written && *written != rows) {
    written = Error{Code::Internal, fmt::format("DuckDB wrote {} rows of {}", *written, rows)};
  }
  if (written) return {};
  if (written.error().code() == Code::Internal) duckdb_.discard(*database);
  return seal_error(std::move(written).error());
}

Result<void> ParquetReader::load(const Segment& segment, const std::string& path,
                                 const TableInfo& table, const StreamInfo& stream,
                                 std::uint32_t epoch, std::uint64_t from) {
  window_.reset();
  auto database = duckdb_.database();
  if (!database) return std::move(database).error();
  auto connection = DuckConnection::open(*database);
  if (!connection) return std::move(connection).error();
  Window window{.segment = segment.id,
                .stream = stream.id,
                .epoch = epoch,
                .from = from,
                .to = from + kWindow - 1};
  auto rows = read_batch(
      *connection,
      fmt::format("SELECT device, ts, _seq, _q{} FROM read_parquet({}) WHERE _stream = {} AND "
                  "_epoch = {} AND _seq BETWEEN {} AND {} ORDER BY _seq",
                  cast_fields(*table.schema), sql_text(path), sql_text(stream_tag(stream)), epoch,
                  from, window.to),
      table.schema, table.label);
  if (!rows) return std::move(rows).error();
  window.rows = std::move(*rows);
  window_ = std::move(window);
  return {};
}

namespace {

/// Rows of `all` (ascending seq) with from ≤ seq ≤ to, at most `max_rows`.
Batch cut(const Batch& all, std::uint64_t from, std::uint64_t to, std::size_t max_rows) {
  const auto begin = std::lower_bound(all.seq.begin(), all.seq.end(), from);
  const auto end = std::upper_bound(begin, all.seq.end(), to);
  const auto count = std::min<std::size_t>(max_rows, static_cast<std::size_t>(end - begin));
  return record::slice(all, static_cast<std::size_t>(begin - all.seq.begin()), count);
}

}  // namespace

Result<Batch> ParquetReader::read(const Segment& segment, const std::string& path,
                                  const TableInfo& table, const StreamInfo& stream,
                                  std::uint32_t epoch, std::uint64_t from, std::uint64_t to,
                                  std::size_t max_rows) {
  const std::scoped_lock lock(mutex_);
  std::uint64_t last = 0;  // `to` may mean "to the end".
  for (const SegmentRange& range : segment.ranges) {
    if (range.stream == stream.id && range.epoch == epoch) last = std::max(last, range.to);
  }
  to = std::min(to, last);
  for (std::uint64_t at = from;; at = window_->to + 1) {
    const bool kept = window_ && window_->segment == segment.id && window_->stream == stream.id &&
                      window_->epoch == epoch && at >= window_->from && at <= window_->to;
    if (!kept) INFINIEDGE_TRY(load(segment, path, table, stream, epoch, at));
    Batch rows = cut(window_->rows, at, to, max_rows);
    if (rows.rows() > 0 || window_->to >= to) return rows;
  }
}

}  // namespace infiniedge::store
