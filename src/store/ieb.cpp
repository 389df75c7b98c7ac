// SPDX-License-Identifier: Apache-2.0
#include "store/ieb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/crc32c.hpp"
#include "record/block.hpp"
#include "record/schema_codec.hpp"
#include "record/value.hpp"
#include "store/ieb_format.hpp"

namespace infiniedge::store {
namespace {

using runtime::Disk;

/// Where a row of the job stands, in the order of the file.
struct RowAt {
  StreamId stream;
  std::uint32_t epoch;
  std::uint64_t seq;
  std::uint32_t chunk, row;
  auto key() const { return std::tuple(stream, epoch, seq); }
};

std::vector<RowAt> sorted_rows(const SealJob& job) {
  std::vector<RowAt> rows;
  for (std::size_t c = 0; c < job.chunks.size(); ++c) {
    const Chunk& chunk = *job.chunks[c];
    for (const Run& run : chunk.runs) {
      for (std::uint32_t row = run.begin; row < run.begin + run.count; ++row) {
        rows.push_back(
            {run.stream, run.epoch, chunk.rows.seq[row], static_cast<std::uint32_t>(c), row});
      }
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const RowAt& a, const RowAt& b) { return a.key() < b.key(); });
  return rows;
}

Error corrupt(const std::string& path, std::string_view what) {
  return {Code::Corrupt, fmt::format("{}: {}", path, what)};
}

class Writer {
 public:
  Writer(runtime::File& file, const SealJob& job) : file_(file), job_(job) {}

  Result<void> run() {
    footer_.gateway = job_.gateway;
    record::StreamDefinition table{.id = job_.table.id, .schema = *job_.table.schema};
    table.schema.stream = "table";
    table.policy = {.lane = job_.table.lane, .keep = job_.table.keep, .label = job_.table.label};
    footer_.table = record::encode_definition(table);
    for (const StreamInfo& stream : job_.streams) {
      footer_.streams.push_back(record::encode_definition(
          record::StreamDefinition{stream.id, stream.origin, *stream.schema, stream.policy}));
    }
    INFINIEDGE_TRY(append(kIebMagic));
    INFINIEDGE_TRY(frames());
    std::string footer = encode_ieb_footer(footer_);
    const auto length = static_cast<std::uint32_t>(footer.size());
    const std::uint32_t crc = base::crc32c(base::as_bytes(footer));
    base::put(footer, length);
    base::put(footer, crc);
    footer.append(kIebMagic);
    return append(footer);
  }

 private:
  Result<void> append(std::string_view bytes) {
    INFINIEDGE_TRY(file_.write(offset_, base::as_bytes(bytes)));
    offset_ += bytes.size();
    return {};
  }

  Result<void> frames() {
    const std::vector<RowAt> rows = sorted_rows(job_);
    const std::size_t most = record::max_block_rows(*job_.table.schema);
    for (std::size_t begin = 0; begin < rows.size();) {
      std::size_t end = begin;
      while (end < rows.size() && end - begin < most && rows[end].stream == rows[begin].stream &&
             rows[end].epoch == rows[begin].epoch) {
        ++end;
      }
      INFINIEDGE_TRY(frame(std::span(rows).subspan(begin, end - begin)));
      begin = end;
    }
    return {};
  }

  /// One block, or two halves where the text of all rows is too much for one.
  Result<void> frame(std::span<const RowAt> rows) {
    Batch batch = record::make_batch(job_.table.schema);
    for (std::size_t i = 0; i < rows.size();) {
      // Neighbours of one chunk are copied together.
      std::size_t n = 1;
      while (i + n < rows.size() && rows[i + n].chunk == rows[i].chunk &&
             rows[i + n].row == rows[i].row + n) {
        ++n;
      }
      record::append_rows(batch, record::slice(job_.chunks[rows[i].chunk]->rows, rows[i].row, n));
      i += n;
    }
    auto block = record::encode_block(batch, footer_.devices, true);
    if (!block && rows.size() > 1) {
      INFINIEDGE_TRY(frame(rows.first(rows.size() / 2)));
      return frame(rows.subspan(rows.size() / 2));
    }
    if (!block) return std::move(block).error();
    const std::string packed = pack_frame(*block);
    footer_.frames.push_back({rows.front().stream, rows.front().epoch, rows.front().seq,
                              rows.back().seq, rows.size(), offset_, packed.size(),
                              base::crc32c(base::as_bytes(packed))});
    return append(packed);
  }

  runtime::File& file_;
  const SealJob& job_;
  IebFooter footer_;
  std::uint64_t offset_ = 0;
};

/// An open file with its footer.
class Reader {
 public:
  static Result<Reader> open(Disk& disk, const std::string& path) {
    auto file = disk.open(path, Disk::Mode::Read);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    Reader reader(std::move(*file), path);
    if (*size < kIebMagic.size() + kIebTail) return corrupt(path, "shorter than an empty file");
    auto tail = reader.bytes(*size - kIebTail, kIebTail);
    if (!tail) return std::move(tail).error();
    const auto length = base::get<std::uint32_t>(base::as_bytes(*tail), 0);
    const auto crc = base::get<std::uint32_t>(base::as_bytes(*tail), 4);
    if (tail->substr(8) != kIebMagic || length > *size - kIebTail - kIebMagic.size()) {
      return corrupt(path, "does not end as an .ieb file does");
    }
    const std::uint64_t start = *size - kIebTail - length;
    auto footer = reader.bytes(start, length);
    if (!footer) return std::move(footer).error();
    if (base::crc32c(base::as_bytes(*footer)) != crc) return corrupt(path, "a damaged footer");
    auto decoded = decode_ieb_footer(base::as_bytes(*footer), start);
    if (!decoded) return Error{Code::Corrupt, path, std::move(decoded).error()};
    reader.footer_ = std::move(*decoded);
    return reader;
  }

  const std::vector<IebFrame>& frames() const { return footer_.frames; }

  Result<Batch> rows(const IebFrame& frame, const SchemaPtr& schema) {
    auto packed = bytes(frame.offset, frame.length);
    if (!packed) return std::move(packed).error();
    if (base::crc32c(base::as_bytes(*packed)) != frame.crc) {
      return corrupt(path_, fmt::format("the frame at {} is damaged", frame.offset));
    }
    auto block = unpack_frame(*packed);
    if (!block) return Error{Code::Corrupt, path_, std::move(block).error()};
    auto batch = record::decode_block(base::as_bytes(*block), schema, footer_.devices);
    if (!batch) return Error{Code::Corrupt, path_, std::move(batch).error()};
    if (batch->seq.empty() || batch->seq.front() != frame.first_seq ||
        batch->seq.back() != frame.last_seq) {
      return corrupt(path_, "a frame with other rows than the footer says");
    }
    return batch;
  }

 private:
  Reader(std::unique_ptr<runtime::File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::string> bytes(std::uint64_t offset, std::uint64_t length) {
    std::string out(length, '\0');
    auto n = file_->read(offset, std::as_writable_bytes(std::span(out)));
    if (!n) return std::move(n).error();
    if (*n != length) return corrupt(path_, "is cut short");
    return out;
  }

  std::unique_ptr<runtime::File> file_;
  std::string path_;
  IebFooter footer_;
};

ChunkPtr to_chunk(const IebFrame& frame, const TableInfo& table, Batch rows) {
  Chunk chunk;
  chunk.runs = {{frame.stream, frame.epoch, 0, static_cast<std::uint32_t>(rows.rows())}};
  const auto [low, high] = std::minmax_element(rows.ts.begin(), rows.ts.end());
  chunk.min_ts = *low;
  chunk.max_ts = *high;
  chunk.rows = std::move(rows);
  chunk.rows.label = table.label;
  return std::make_shared<const Chunk>(std::move(chunk));
}

}  // namespace

Result<void> IebSealer::write(const SealJob& job, const std::string& path) {
  auto file = disk_.open(path, Disk::Mode::Create);
  if (!file) return std::move(file).error();
  return Writer(**file, job).run();
}

Result<Batch> IebReader::read(const Segment&, const std::string& path, const TableInfo& table,
                              const StreamInfo& stream, std::uint32_t epoch, std::uint64_t from,
                              std::uint64_t to, std::size_t max_rows) {
  auto reader = Reader::open(disk_, path);
  if (!reader) return std::move(reader).error();
  Batch out = record::make_batch(table.schema);
  out.label = table.label;
  for (const IebFrame& frame : reader->frames()) {
    if (frame.stream != stream.id || frame.epoch != epoch || frame.last_seq < from ||
        frame.first_seq > to) {
      continue;
    }
    if (out.rows() >= max_rows) break;
    auto rows = reader->rows(frame, table.schema);
    if (!rows) return rows;
    const auto begin = std::lower_bound(rows->seq.begin(), rows->seq.end(), from);
    const auto end = std::upper_bound(begin, rows->seq.end(), to);
    const auto count =
        std::min<std::size_t>(static_cast<std::size_t>(end - begin), max_rows - out.rows());
    record::append_rows(
        out, record::slice(*rows, static_cast<std::size_t>(begin - rows->seq.begin()), count));
  }
  return out;
}

Result<std::vector<ChunkPtr>> load_ieb(Disk& disk, const std::string& path,
                                       const TableInfo& table) {
  auto reader = Reader::open(disk, path);
  if (!reader) return std::move(reader).error();
  std::vector<ChunkPtr> chunks;
  for (const IebFrame& frame : reader->frames()) {
    auto rows = reader->rows(frame, table.schema);
    if (!rows) return std::move(rows).error();
    chunks.push_back(to_chunk(frame, table, std::move(*rows)));
  }
  return chunks;
}

}  // namespace infiniedge::store
