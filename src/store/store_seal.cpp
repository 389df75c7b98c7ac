// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "runtime/log.hpp"
#include "store/store_impl.hpp"

namespace infiniedge::store {
namespace {

using runtime::Disk;
using runtime::Level;

constexpr Micros kRetrySeal{Seconds{5}};

/// Syncs a finished file and returns its SHA-256 in hex; `bytes` receives its length.
Result<std::string> sync_and_hash(Disk& disk, const std::string& path, std::uint64_t& bytes) {
  auto file = disk.open(path, Disk::Mode::Write);
  if (!file) return std::move(file).error();
  INFINIEDGE_TRY((*file)->sync_data());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  bool good = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  bytes = 0;
  while (good) {
    auto n = (*file)->read(bytes, buffer);
    if (!n) return std::move(n).error();
    if (*n == 0) break;
    good = EVP_DigestUpdate(context.get(), buffer.data(), *n) == 1;
    bytes += *n;
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  good = good && EVP_DigestFinal_ex(context.get(), digest, &length) == 1;
  if (!good) return Error{Code::Internal, "SHA-256 is not available"};
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

/// Moves a finished file to where its hash says, durably. Fills in id, file, bytes and hash.
Result<Segment> place(Disk& disk, const std::string& dir, const std::string& temporary,
                      Segment shape, std::uint32_t epoch, std::uint64_t first_lsn) {
  auto hash = sync_and_hash(disk, temporary, shape.bytes);
  if (!hash) return std::move(hash).error();
  shape.sha256 = std::move(*hash);
  shape.id = fmt::format("{:020}-{}", first_lsn, shape.sha256.substr(0, 16));
  const std::string extension = temporary.substr(temporary.rfind('.'));
  const std::string table_dir = fmt::format("seg/{}", shape.table);
  const std::string epoch_dir = fmt::format("{}/e{}", table_dir, epoch);
  shape.file = fmt::format("{}/{}{}", epoch_dir, shape.id, extension);
  INFINIEDGE_TRY(disk.make_dir(dir + "/" + epoch_dir));
  INFINIEDGE_TRY(disk.rename(temporary, dir + "/" + shape.file));
  for (const std::string& changed : {epoch_dir, table_dir, std::string("seg")}) {
    INFINIEDGE_TRY(disk.sync_dir(dir + "/" + changed));
  }
  return shape;
}

/// Writes a job with `sealer`, or as .ieb where that cannot.
Result<std::string> write_job(Disk& disk, const SealJob& job, const std::string& stem,
                              Sealer* sealer, IebSealer& ieb) {
  if (sealer != nullptr) {
    const std::string path = stem + sealer->extension();
    auto written = sealer->write(job, path);
    if (written) return path;
    static_cast<void>(disk.unlink(path));
    if (written.error().code() == Code::Exhausted) return std::move(written).error();
    runtime::log(Level::Warning, "store", "sealing falls back to .ieb",
                 {{"error", written.error().describe()}});
  }
  const std::string path = stem + ieb.extension();
  auto written = ieb.write(job, path);
  if (written) return path;
  static_cast<void>(disk.unlink(path));
  return std::move(written).error();
}

Segment shape_of(const SealJob& job) {
  Segment shape{.table = job.table.id, .min_ts = INT64_MAX, .max_ts = INT64_MIN};
  shape.ranges = job.ranges;
  for (const ChunkPtr& chunk : job.chunks) {
    shape.rows += chunk->rows.rows();
    shape.min_ts = std::min(shape.min_ts, chunk->min_ts);
    shape.max_ts = std::max(shape.max_ts, chunk->max_ts);
  }
  return shape;
}

}  // namespace

void Store::Impl::maybe_seal() {
  if (sealing_ || closing_ || health == Health::Failed || env.clock->now() < retry_seal_) return;
  const TableId id = due_table();
  if (id == 0) return;
  sealing_ = true;
  scope_.spawn(seal_due(id));
}

Task<void> Store::Impl::seal_due(TableId id) {
  auto sealed = co_await seal_one(id);
  sealing_ = false;
  if (!sealed) {
    retry_seal_ = env.clock->now() + kRetrySeal;
    if (sealed.error().code() == Code::Exhausted) health = Health::Full;
    runtime::log(Level::Warning, "store", "a table could not be sealed; trying again",
                 {{"error", sealed.error().describe()}});
  }
  changed_.notify();
  maybe_seal();
}

/// The table to seal now, if any: 0 none.
TableId Store::Impl::due_table() const {
  const Table* largest = nullptr;
  const Table* oldest = nullptr;
  for (const auto& [id, table] : state.tables) {
    if (table.frozen) return id;  // Left from a seal that failed.
    const Memtable& rows = *table.active;
    if (rows.rows() == 0) continue;
    if (rows.rows() >= options.seal_rows) return id;
    if (env.clock->wall() - rows.since() >= options.seal_age) return id;
    if (largest == nullptr || rows.bytes() > largest->active->bytes()) largest = &table;
    if (oldest == nullptr || rows.first_lsn() < oldest->active->first_lsn()) oldest = &table;
  }
  if (oldest == nullptr) return 0;
  if (published_ - oldest->active->first_lsn() > options.log_bytes) return oldest->info.id;
  if (state.memory_bytes() > options.memtable_bytes) return largest->info.id;
  return 0;
}

SealJob Store::Impl::make_job(const Table& table) const {
  SealJob job{.gateway = gateway, .epoch = epoch, .table = table.info};
  job.chunks = table.frozen->chunks();
  std::map<std::pair<StreamId, std::uint32_t>, std::size_t> hulls;
  for (const SegmentRange& range : table.frozen->ranges()) {
    const Stream& stream = *state.find(range.stream);
    const auto [hull, added] = hulls.try_emplace({range.stream, range.epoch}, job.ranges.size());
    if (added && std::none_of(job.streams.begin(), job.streams.end(),
                              [&](const StreamInfo& info) { return info.id == range.stream; })) {
      job.streams.push_back(stream.info);
    }
    // Numbers that a sender withheld belong to the range around them.
    if (!added && stream.remote()) {
      job.ranges[hull->second].to = range.to;
      job.ranges[hull->second].rows += range.rows;
    } else {
      job.ranges.push_back(range);
    }
  }
  return job;
}

Task<Result<void>> Store::Impl::seal_one(TableId id) {
  Table& table = state.tables.at(id);
  if (!table.frozen) {
    if (table.active->rows() == 0) co_return Result<void>{};
    // The group in flight lies at or behind this LSN; all before it is in the memtable.
    table.frozen_lsn = published_;
    table.frozen = std::move(table.active);
    table.active = std::make_unique<Memtable>(table.info);
    ++state.version;
  }
  const SealJob job = make_job(table);
  const std::string stem = fmt::format("{}/seg/.tmp/{:016x}", options.dir, env.entropy->u64());
  auto write = [this, &job, &stem]() -> Result<Segment> {
    auto written = write_job(*env.disk, job, stem, env.sealer, ieb_sealer_);
    if (!written) return std::move(written).error();
    auto placed = place(*env.disk, options.dir, *written, shape_of(job), job.epoch,
                        job.chunks.front()->first_lsn);
    if (!placed) static_cast<void>(env.disk->unlink(*written));
    return placed;
  };
  auto segment = co_await runtime::run_on(*env.compute, write);
  if (!segment) co_return std::move(segment).error();
  auto sealed = std::make_shared<const Segment>(std::move(*segment));
  const std::uint64_t needless = state.oldest_unsealed(published_, id);
  CatalogueChange change = state.take_dirty(needless);
  change.add_segments.push_back(sealed);
  change.sealed_lsn[id] = table.frozen_lsn;
  INFINIEDGE_CO_TRY(co_await apply(std::move(change)));
  table.segments.push_back(std::move(sealed));
  table.sealed_lsn = table.frozen_lsn;
  table.frozen.reset();
  ++state.version;
  co_await release_log(needless);
  co_return Result<void>{};
}

/// One catalogue transaction. What could not be written is told again with the next one.
Task<Result<void>> Store::Impl::apply(CatalogueChange change) {
  change.durable_lsn = published_;
  auto applied = co_await runtime::run_on(*env.disk_worker,
                                          [this, &change] { return catalogue_->apply(change); });
  if (!applied) state.put_back(change);
  co_return applied;
}

/// Frees the log below `lsn`: all of it is in segments and catalogue.
Task<void> Store::Impl::release_log(std::uint64_t lsn) {
  auto job = [this, lsn]() -> Result<std::uint64_t> {
    INFINIEDGE_TRY(log_->release(lsn));
    return log_->bytes();
  };
  auto bytes = co_await runtime::run_on(*env.disk_worker, job);
  if (bytes) log_bytes_ = *bytes;
}

Task<Result<void>> Store::Impl::seal(TableId only) {
  std::vector<TableId> ids;
  for (const auto& [id, table] : state.tables) {
    if (only == 0 || id == only) ids.push_back(id);
  }
  if (ids.empty() && only != 0) {
    co_return Error{Code::NotFound, fmt::format("there is no table {}", only)};
  }
  for (const TableId id : ids) {
    while (sealing_ && !closing_) co_await changed_.wait();
    if (closing_) co_return Error{Code::Cancelled, "the store is closing"};
    sealing_ = true;
    auto sealed = co_await seal_one(id);
    sealing_ = false;
    changed_.notify();
    if (!sealed) co_return sealed;
  }
  co_return Result<void>{};
}

Task<Result<SegmentPtr>> Store::Impl::replace_segments(std::vector<SegmentPtr> old,
                                                       std::string temporary, Segment shape) {
  const auto table = state.tables.find(shape.table);
  if (table == state.tables.end() || old.empty()) {
    co_return Error{Code::Invalid, "a replacement needs segments of one table"};
  }
  const std::uint32_t at_epoch = shape.ranges.empty() ? epoch : shape.ranges.front().epoch;
  const std::uint64_t first_lsn = std::strtoull(old.front()->id.c_str(), nullptr, 10);
  auto job = [this, &temporary, &shape, at_epoch, first_lsn] {
    return place(*env.disk, options.dir, path("seg/.tmp/") + temporary, shape, at_epoch, first_lsn);
  };
  auto placed = co_await runtime::run_on(*env.compute, job);
  if (!placed) co_return std::move(placed).error();
  auto segment = std::make_shared<const Segment>(std::move(*placed));
  CatalogueChange change = state.take_dirty(state.oldest_unsealed(published_));
  change.add_segments.push_back(segment);
  for (const SegmentPtr& gone : old) change.drop_segments.push_back(gone->id);
  INFINIEDGE_CO_TRY(co_await apply(std::move(change)));
  table->second.segments.push_back(segment);
  doom(old);
  co_return SegmentPtr(std::move(segment));
}

Task<Result<void>> Store::Impl::drop_segments(std::vector<SegmentPtr> segments,
                                              std::vector<record::Gap> gaps) {
  for (record::Gap& gap : gaps) {
    state.add_gap(std::move(gap));
    gaps_total_.add();
  }
  CatalogueChange change = state.take_dirty(state.oldest_unsealed(published_));
  for (const SegmentPtr& gone : segments) change.drop_segments.push_back(gone->id);
  INFINIEDGE_CO_TRY(co_await apply(std::move(change)));
  doom(segments);
  co_await unlink_doomed();
  co_return Result<void>{};
}

/// Takes segments out of sight; their files go when nothing shows them any more.
void Store::Impl::doom(const std::vector<SegmentPtr>& segments) {
  for (const SegmentPtr& gone : segments) {
    const auto table = state.tables.find(gone->table);
    if (table == state.tables.end()) continue;
    std::erase_if(table->second.segments, [&](const SegmentPtr& segment) {
      if (segment->id != gone->id) return false;
      doomed_.push_back(segment);
      return true;
    });
  }
  ++state.version;
}

Task<void> Store::Impl::unlink_doomed() {
  if (doomed_.empty()) co_return;
  if (snapshot_version_ != state.version) snapshot_.reset();
  std::vector<std::string> files;
  std::erase_if(doomed_, [&](const SegmentPtr& segment) {
    if (segment.use_count() > 1) return false;
    files.push_back(path(segment->file));
    return true;
  });
  if (files.empty()) co_return;
  auto job = [this, &files]() -> Result<void> {
    for (const std::string& file : files) INFINIEDGE_TRY(env.disk->unlink(file));
    return {};
  };
  auto unlinked = co_await runtime::run_on(*env.compute, job);
  if (!unlinked) {
    runtime::log(Level::Warning, "store", "a dropped segment stays until the next start",
                 {{"error", unlinked.error().describe()}});
  }
}

}  // namespace infiniedge::store
