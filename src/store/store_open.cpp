// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "record/schema_codec.hpp"
#include "runtime/log.hpp"
#include "store/log_recovery.hpp"
#include "store/store_impl.hpp"
#include "store/store_recovery.hpp"

namespace infiniedge::store {
namespace {

using runtime::Disk;
using runtime::Level;

constexpr Micros kTick{Seconds{1}};
constexpr Micros kMarkAfter{Seconds{10}};
constexpr std::string_view kSegments = "seg";
constexpr std::string_view kTemporary = "seg/.tmp";

bool is_zero(const record::GatewayId& id) { return id == record::GatewayId{}; }

/// Files below `dir`, two directories deep, as paths relative to `root`.
Result<std::vector<std::string>> segment_files(Disk& disk, const std::string& root) {
  std::vector<std::string> out;
  auto tables = disk.list(root + "/" + std::string(kSegments));
  if (!tables) return std::move(tables).error();
  for (const std::string& table : *tables) {
    if (table.starts_with(".")) continue;
    const std::string table_dir = fmt::format("{}/{}", kSegments, table);
    auto epochs = disk.list(root + "/" + table_dir);
    if (!epochs) continue;  // A file that is not ours.
    for (const std::string& epoch : *epochs) {
      const std::string epoch_dir = fmt::format("{}/{}", table_dir, epoch);
      auto files = disk.list(root + "/" + epoch_dir);
      if (!files) continue;
      for (const std::string& file : *files) out.push_back(epoch_dir + "/" + file);
    }
  }
  return out;
}

}  // namespace

Store::Impl::Impl(Environment environment, Options opts)
    : env(std::move(environment)),
      options(std::move(opts)),
      ieb_sealer_(*env.disk),
      ieb_reader_(*env.disk),
      changed_(env.executor),
      rows_total_(env.metrics->counter("infiniedge_store_rows_total", "Rows made durable")),
      gaps_total_(env.metrics->counter("infiniedge_store_gaps_total", "Named losses of rows")),
      failures_total_(env.metrics->counter("infiniedge_store_commit_failures_total",
                                           "Groups that could not be made durable")),
      commit_seconds_(env.metrics->histogram("infiniedge_store_commit_seconds",
                                             "Time to write and sync one group")),
      memory_gauge_(env.metrics->gauge("infiniedge_store_memory_bytes",
                                       "Rows held in memory, not yet in a segment")),
      log_gauge_(env.metrics->gauge("infiniedge_store_log_bytes", "Log in use")),
      scope_(env.executor) {}

Task<Result<void>> Store::Impl::open() {
  auto recovered = co_await runtime::run_on(*env.disk_worker, [this] { return recover(); });
  if (!recovered) co_return recovered;
  last_commit_ = env.clock->now();
  state.devices.on_new(
      [this](std::uint32_t id, std::string_view) { unlogged_devices_.insert(id); });
  // The losses are in the state already; in the log they stand for the next start and the hub.
  for (record::Gap& gap : found_gaps_) {
    runtime::log(Level::Error, "store", "rows were lost to a damaged medium",
                 {{"stream", std::to_string(gap.stream)},
                  {"from", std::to_string(gap.from_seq)},
                  {"to", std::to_string(gap.to_seq)}});
    gaps_total_.add();
    auto entry = std::make_shared<Entry>(env.executor);
    entry->others.push_back(
        {.type = RecordType::Gap, .stream_id = gap.stream, .payload = record::encode_gap(gap)});
    auto written = co_await commit(std::move(entry));
    if (!written) co_return written;
  }
  found_gaps_.clear();
  scope_.spawn(tick());
  co_return Result<void>{};
}

Result<void> Store::Impl::recover() {
  Disk& disk = *env.disk;
  INFINIEDGE_TRY(disk.make_dir(options.dir));
  auto lock = disk.lock(path("LOCK"));
  if (!lock) return std::move(lock).error();
  lock_ = std::move(*lock);
  for (const std::string_view dir :
       {std::string_view("log"), std::string_view("quarantine"), kSegments, kTemporary}) {
    INFINIEDGE_TRY(disk.make_dir(path(dir)));
  }
  INFINIEDGE_TRY(disk.sync_dir(options.dir));
  INFINIEDGE_TRY(open_catalogue_and_identity());
  INFINIEDGE_TRY(reconcile_segments());
  INFINIEDGE_TRY(open_log());
  max_bytes_ = options.max_bytes;
  if (max_bytes_ == 0) {
    auto space = disk.space(options.dir);
    if (!space) return std::move(space).error();
    max_bytes_ = space->total / 2;
  }
  return {};
}

Result<void> Store::Impl::open_catalogue_and_identity() {
  auto catalogue =
      env.catalogue ? env.catalogue(options.dir) : open_catalogue(path("catalogue.db"));
  if (!catalogue) return std::move(catalogue).error();
  catalogue_ = std::move(*catalogue);
  auto loaded = catalogue_->load();
  if (!loaded) return std::move(loaded).error();
  auto log_file = newest_log_file(*env.disk, path("log"));
  if (!log_file) return std::move(log_file).error();

  const bool fresh = is_zero(loaded->gateway);
  if (fresh) {
    // A lost catalogue must not make orphans of the segments.
    auto files = segment_files(*env.disk, options.dir);
    if (!files) return std::move(files).error();
    if (!files->empty()) {
      return Error{Code::Corrupt, fmt::format("{} holds segments, but its catalogue is gone; "
                                              "restore catalogue.db from a backup",
                                              options.dir)};
    }
  }
  gateway = loaded->gateway;
  epoch = std::max<std::uint32_t>(loaded->epoch, 1);
  if (fresh && *log_file) {
    gateway = (*log_file)->gateway;
    epoch = (*log_file)->epoch;
  } else if (fresh) {
    env.entropy->fill(gateway);
  } else if (!*log_file || (*log_file)->gateway != gateway) {
    if (loaded->durable_lsn > 0) {
      runtime::log(Level::Error, "store", "the log is gone; rows get a new epoch",
                   {{"dir", path("log")}});
      ++epoch;
    }
  }
  opened_.durable = loaded->durable_lsn;
  state.load(std::move(*loaded));
  return catalogue_->apply({.gateway = gateway, .epoch = epoch});
}

/// A row without its file has lost its rows; a file without a row was never finished.
Result<void> Store::Impl::reconcile_segments() {
  Disk& disk = *env.disk;
  auto leftovers = disk.list(path(kTemporary));
  if (!leftovers) return std::move(leftovers).error();
  for (const std::string& name : *leftovers) {
    INFINIEDGE_TRY(disk.unlink(path(kTemporary) + "/" + name));
  }
  auto files = segment_files(disk, options.dir);
  if (!files) return std::move(files).error();
  std::set<std::string> unclaimed(files->begin(), files->end());
  CatalogueChange change;
  for (auto& [id, table] : state.tables) {
    std::erase_if(table.segments, [&](const SegmentPtr& segment) {
      if (unclaimed.erase(segment->file) > 0) return false;
      runtime::log(Level::Error, "store", "a segment file is missing", {{"file", segment->file}});
      change.drop_segments.push_back(segment->id);
      for (const SegmentRange& range : segment->ranges) {
        change.gaps.push_back({.stream = range.stream,
                               .epoch = range.epoch,
                               .from_seq = range.from,
                               .to_seq = range.to,
                               .from_ts = segment->min_ts,
                               .to_ts = segment->max_ts,
                               .rows = range.rows,
                               .reason = record::GapReason::Corrupt});
      }
      return true;
    });
  }
  for (const std::string& file : unclaimed) {
    runtime::log(Level::Warning, "store", "an unfinished segment file is deleted",
                 {{"file", file}});
    INFINIEDGE_TRY(disk.unlink(path(file)));
  }
  for (const record::Gap& gap : change.gaps) state.add_gap(gap);
  if (change.drop_segments.empty()) return {};
  return catalogue_->apply(change);
}

Result<void> Store::Impl::open_log() {
  Log::Options log_options{.dir = path("log"), .quarantine_dir = path("quarantine")};
  log_options.file_bytes = options.log_file_bytes;
  log_options.gateway = gateway;
  log_options.epoch = epoch;
  log_options.durable_lsn = opened_.durable;
  // The oldest table that may still have rows in the log decides; one never sealed needs all.
  log_options.sealed_lsn = state.tables.empty() ? 0 : UINT64_MAX;
  for (const auto& [id, table] : state.tables) {
    log_options.sealed_lsn = std::min(log_options.sealed_lsn, table.sealed_lsn);
  }
  StoreRecovery recovery(state, env.clock->wall());
  auto log = Log::open(*env.disk, *env.clock, *env.entropy, log_options, recovery, opened_);
  if (!log) return std::move(log).error();
  log_ = std::move(*log);
  found_gaps_ = recovery.finish();
  for (const auto& [id, stream] : state.streams) {
    log_->remember(fmt::format("stream {}", id),
                   record::encode_definition(StoreState::definition(stream.info)));
  }
  for (const auto& [id, name] : state.devices.names()) {
    log_->remember(fmt::format("device {}", id),
                   record::encode_definition(record::DeviceDefinition{id, name}));
  }
  published_ = log_->durable_lsn();
  log_bytes_ = log_->bytes();
  const Level level = opened_.corrupt_bytes > 0 ? Level::Error : Level::Info;
  runtime::log(level, "store", "the log is recovered",
               {{"records", std::to_string(opened_.records)},
                {"torn_bytes", std::to_string(opened_.torn_bytes)},
                {"corrupt_bytes", std::to_string(opened_.corrupt_bytes)},
                {"clean", opened_.clean ? "yes" : "no"}});
  return {};
}

Task<void> Store::Impl::tick() {
  while (!closing_) {
    auto slept = co_await env.clock->sleep_for(kTick);
    if (!slept) co_return;
    co_await tick_once();
  }
}

Task<void> Store::Impl::tick_once() {
  maybe_seal();
  memory_gauge_.set(static_cast<double>(state.memory_bytes()));
  log_gauge_.set(static_cast<double>(log_bytes_));
  if (state.should_tell()) {
    auto applied = co_await apply(state.take_dirty(state.oldest_unsealed(published_)));
    if (!applied) {
      runtime::log(Level::Warning, "store", "the catalogue could not be written; trying again",
                   {{"error", applied.error().describe()}});
    }
  }
  co_await unlink_doomed();
  if (!committing_ && health != Health::Failed && env.clock->now() - last_commit_ >= kMarkAfter) {
    auto marked = co_await runtime::run_on(*env.disk_worker, [this] { return log_->mark(); });
    if (!marked && marked.error().code() == Code::Unavailable) fail(marked.error());
  }
}

Task<void> Store::Impl::close() {
  if (closed_ || closing_) co_return;
  closing_ = true;
  changed_.notify();
  while (committing_ || sealing_ || preparing_) co_await changed_.wait();
  co_await scope_.close();
  if (log_ != nullptr && health != Health::Failed) {
    CatalogueChange change = state.take_dirty(state.oldest_unsealed(published_));
    auto shut = co_await runtime::run_on(*env.disk_worker, [this, &change]() -> Result<void> {
      INFINIEDGE_TRY(log_->close());
      change.durable_lsn = log_->durable_lsn();
      return catalogue_->apply(change);
    });
    if (!shut) {
      runtime::log(Level::Warning, "store", "closed without a last mark; the next start recovers",
                   {{"error", shut.error().describe()}});
    }
  }
  closed_ = true;
  log_.reset();
  catalogue_.reset();
  lock_.reset();
}

}  // namespace infiniedge::store
