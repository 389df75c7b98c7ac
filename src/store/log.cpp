// SPDX-License-Identifier: Apache-2.0
#include "store/log.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "runtime/log.hpp"
#include "store/log_recovery.hpp"

namespace infiniedge::store {
namespace {

using runtime::Disk;

constexpr std::uint64_t kFillStep = std::uint64_t{256} << 10;
constexpr std::size_t kMaxSpares = 1;
constexpr std::size_t kDefinitionGroup = std::size_t{1} << 20;

std::string spare_path(const std::string& dir) { return dir + "/spare.tmp"; }

/// Most bytes that write_definitions() takes for these.
std::uint64_t written_size(const std::map<std::string, std::string>& definitions) {
  std::uint64_t size = 0;
  for (const auto& [key, payload] : definitions) size += record_size(payload.size());
  // Two neighbouring groups hold more than one kDefinitionGroup; each is padded to a page.
  return size + (2 * size / kDefinitionGroup + 2) * kLogPage;
}

}  // namespace

SpareFile::SpareFile(Disk& disk, const std::string& dir, std::uint64_t bytes)
    : disk_(disk), path_(spare_path(dir)), bytes_(round_up(bytes, kLogPage)) {}

Result<bool> SpareFile::step() {
  if (file_ == nullptr) {
    static_cast<void>(disk_.unlink(path_));  // Of an attempt that failed.
    auto file = disk_.open(path_, Disk::Mode::Create);
    if (!file) return std::move(file).error();
    file_ = std::move(*file);
  }
  if (auto filled = fill(); !filled) {
    file_.reset();
    static_cast<void>(disk_.unlink(path_));
    return std::move(filled).error();
  }
  if (filled_ < bytes_) return false;
  file_.reset();
  return true;
}

Result<void> SpareFile::fill() {
  filled_ = std::min(filled_ + kFillStep, bytes_);
  INFINIEDGE_TRY(file_->allocate(filled_));
  return file_->sync_data();
}

Log::Log(Disk& disk, Clock& clock, runtime::Entropy& entropy, Options options)
    : disk_(disk), clock_(clock), entropy_(entropy), options_(std::move(options)) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(Disk& disk, Clock& clock, runtime::Entropy& entropy,
                                       Options options, LogSink& sink, LogOpened& opened) {
  INFINIEDGE_TRY(disk.make_dir(options.dir));
  INFINIEDGE_TRY(disk.make_dir(options.quarantine_dir));
  std::unique_ptr<Log> log(new Log(disk, clock, entropy, std::move(options)));
  INFINIEDGE_TRY(log->recover(sink, opened));
  return log;
}

Result<void> Log::recover(LogSink& sink, LogOpened& opened) {
  // A spare that was never finished.
  if (auto stale = disk_.unlink(spare_path(options_.dir));
      !stale && stale.error().code() != Code::NotFound) {
    return std::move(stale).error();
  }
  auto found = recover_log(disk_, options_, sink);
  if (!found) return std::move(found).error();
  opened = found->opened;
  next_file_no_ = found->next_file_no;
  for (const std::string& path : found->spares) keep_spare(path);
  for (const LogFile& file : found->chain) {
    files_.push_back({file.header.file_no, file.header.base_lsn, file.capacity, file.path});
  }
  end_ = opened.end;
  if (!found->chain.empty()) INFINIEDGE_TRY(open_last(found->chain.back()));
  // What was kept may never have been synced: it must be before new numbers build on it.
  if (file_ != nullptr) INFINIEDGE_TRY(sync(*file_));
  durable_ = end_;
  if (!found->continues) return start_file(0);
  return {};
}

Result<void> Log::open_last(const LogFile& last) {
  auto file = disk_.open(last.path, Disk::Mode::Write);
  if (!file) return std::move(file).error();
  file_ = std::move(*file);
  header_ = last.header;
  capacity_ = last.capacity;
  return {};
}

Result<void> Log::sync(runtime::File& file) {
  auto synced = file.sync_data();
  // Never again: the kernel has marked the pages clean and would claim success.
  if (!synced) failed_ = true;
  if (!synced && synced.error().code() != Code::Unavailable) {
    return Error{Code::Unavailable, "the log could not be synced", std::move(synced).error()};
  }
  return synced;
}

void Log::keep_spare(const std::string& path) {
  if (spares_.size() < kMaxSpares) {
    spares_.push_back(path);
  } else {
    discard(path);
  }
}

void Log::discard(const std::string& path) {
  if (auto gone = disk_.unlink(path); !gone) {
    runtime::log(runtime::Level::Warning, "store", "cannot delete a spare log file",
                 {{"error", gone.error().describe()}});
  }
}

/// Gives `to` a file with room for `at_least` bytes of records: recycled if there is one.
Result<void> Log::place_file(const std::string& to, std::uint64_t at_least) {
  while (!spares_.empty()) {
    const std::string spare = spares_.back();
    spares_.pop_back();
    auto file = disk_.open(spare, Disk::Mode::Write);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    if (*size >= kLogPage + at_least && *size >= options_.file_bytes / kLogPage * kLogPage) {
      file_ = std::move(*file);
      capacity_ = *size / kLogPage * kLogPage - kLogPage;
      return disk_.rename(spare, to);
    }
    INFINIEDGE_TRY(disk_.unlink(spare));
  }
  auto file = disk_.open(to, Disk::Mode::Create);
  if (!file) return std::move(file).error();
  // Whoever waits for the commit waits for the zeros too: no more of them than needed.
  const std::uint64_t wanted = std::min(options_.short_file_bytes, options_.file_bytes);
  const std::uint64_t size = round_up(std::max(wanted, kLogPage + at_least), kLogPage);
  if (auto allocated = (*file)->allocate(size); !allocated) {
    static_cast<void>(disk_.unlink(to));
    return allocated;
  }
  file_ = std::move(*file);
  capacity_ = size - kLogPage;
  return {};
}

Result<void> Log::start_file(std::uint64_t at_least) {
  const std::uint64_t file_no = next_file_no_++;
  const std::string path = options_.dir + "/" + log_file_name(file_no);
  INFINIEDGE_TRY(place_file(path, at_least));
  abandon_file_ = true;  // Until the header stands: what goes wrong now costs only this file.
  if (auto headed = write_header(file_no); !headed) {
    if (!failed_) keep_spare(path);
    return headed;
  }
  files_.push_back({file_no, header_.base_lsn, capacity_, path});
  end_ = durable_ = header_.base_lsn;
  abandon_file_ = false;
  undefined_ = definitions_;
  return {};
}

Result<void> Log::write_header(std::uint64_t file_no) {
  header_ = {.epoch = options_.epoch,
             .gateway = options_.gateway,
             .file_no = file_no,
             .base_lsn = round_up(end_, kLogPage),
             .prev_end_lsn = end_,
             .salt = entropy_.u64(),
             .durable_lsn = round_up(end_, kLogPage),
             .created = to_us(clock_.wall())};
  INFINIEDGE_TRY(disk_.sync_dir(options_.dir));
  INFINIEDGE_TRY(file_->write(0, base::as_bytes(encode_header_page(header_))));
  return sync(*file_);
}

std::uint64_t Log::group_size(std::span<const LogRecord> group) {
  std::uint64_t size = 0;
  for (const LogRecord& record : group) size += record_size(record.payload.size());
  return round_up(size, kLogPage);
}

Result<void> Log::commit(std::span<LogRecord> group) {
  INFINIEDGE_CHECK(!group.empty());
  INFINIEDGE_CHECK(group_size(group) <= kMaxGroup);
  INFINIEDGE_TRY(make_room(group_size(group)));
  INFINIEDGE_TRY(write_definitions());
  INFINIEDGE_TRY(write_group(group));
  for (const LogRecord& record : group) {
    if (!record.define_key.empty()) definitions_[record.define_key] = record.payload;
  }
  return {};
}

/// Sees to it that the current file is good and has `bytes` left.
Result<void> Log::make_room(std::uint64_t bytes) {
  if (failed_) {
    return Error{Code::Unavailable,
                 "the log failed to sync and cannot be trusted any more; "
                 "restart the process"};
  }
  const bool fits = end_ + bytes + written_size(undefined_) <= header_.base_lsn + capacity_;
  if (!abandon_file_ && fits) return {};
  auto started = start_file(written_size(definitions_) + bytes);
  if (!started && started.error().code() != Code::Exhausted) failed_ = true;
  return started;
}

/// Repeats the definitions that the current file lacks, so that it explains itself.
Result<void> Log::write_definitions() {
  while (!undefined_.empty()) {
    std::vector<LogRecord> group;
    std::uint64_t size = 0;
    auto next = undefined_.begin();
    for (; next != undefined_.end(); ++next) {
      size += record_size(next->second.size());
      if (!group.empty() && size > kDefinitionGroup) break;
      group.push_back({.type = RecordType::Define, .payload = next->second});
    }
    INFINIEDGE_TRY(write_group(group));
    undefined_.erase(undefined_.begin(), next);
  }
  return {};
}

Result<void> Log::write_group(std::span<LogRecord> group) {
  buffer_.clear();
  for (LogRecord& record : group) {
    record.lsn = end_ + buffer_.size();
    append_record(buffer_,
                  {.lsn = record.lsn,
                   .durable_lsn = durable_,
                   .first_seq = record.first_seq,
                   .stream_id = record.stream_id,
                   .label_id = record.label_id,
                   .type = record.type},
                  record.payload, header_.salt);
  }
  buffer_.resize(round_up(buffer_.size(), kLogPage), '\0');
  const std::uint64_t offset = end_ - header_.base_lsn + kLogPage;
  if (auto written = file_->write(offset, base::as_bytes(buffer_)); !written) {
    // Parts of it may stand there, and must not mix with a later group: go on elsewhere.
    abandon_file_ = true;
    failed_ = failed_ || written.error().code() != Code::Exhausted;
    return written;
  }
  INFINIEDGE_TRY(sync(*file_));
  end_ += buffer_.size();
  durable_ = end_;
  idle_ = false;
  return {};
}

void Log::remember(std::string define_key, std::string payload) {
  undefined_[define_key] = payload;
  definitions_[std::move(define_key)] = std::move(payload);
}

Result<void> Log::mark() {
  if (idle_) return {};
  LogRecord mark{.type = RecordType::Mark};
  INFINIEDGE_TRY(commit(std::span(&mark, 1)));
  idle_ = true;
  return {};
}

Result<void> Log::close() {
  LogRecord close{.type = RecordType::Close};
  return commit(std::span(&close, 1));
}

std::uint64_t Log::first_lsn() const { return files_.empty() ? end_ : files_.front().base_lsn; }

Result<void> Log::release(std::uint64_t lsn) {
  while (files_.size() > 1 && files_[1].base_lsn <= lsn) {
    const InUse& oldest = files_.front();
    const bool is_short = kLogPage + oldest.capacity < options_.file_bytes / kLogPage * kLogPage;
    is_short ? discard(oldest.path) : keep_spare(oldest.path);
    files_.erase(files_.begin());
  }
  return {};
}

bool Log::wants_spare() const {
  return spares_.empty() && !failed_ && !abandon_file_ && end_ - header_.base_lsn > capacity_ / 4;
}

void Log::start_epoch(std::uint32_t epoch) {
  options_.epoch = epoch;
  abandon_file_ = true;
}

}  // namespace infiniedge::store
