// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "infiniedge/time.hpp"
#include "runtime/disk.hpp"
#include "runtime/entropy.hpp"
#include "store/log_format.hpp"

namespace infiniedge::store {

struct LogFile;

/// What commit() writes. `lsn` is filled in by it.
struct LogRecord {
  RecordType type = RecordType::Batch;
  std::uint32_t stream_id = 0;
  std::uint16_t label_id = 0;
  std::uint64_t first_seq = 0;
  std::string payload{};
  /// Of a Define record: what it defines ("stream 7"). The newest of each key is repeated at the
  /// front of every new file, so that each file explains itself.
  std::string define_key{};
  std::uint64_t lsn = 0;
};

/// What recovery found, in LSN order. Called on the disk worker while Log::open runs.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// The records that follow are of this file.
  virtual void file(const FileHeader& header) = 0;
  /// A whole record. An error ends recovery with that error.
  virtual Result<void> record(const RecordHeader& header, base::ByteView payload) = 0;
  /// Synced bytes [from, to) that no longer match their checksum; a copy lies in quarantine/.
  /// `hint`: what stood there as a header, if that much was readable; not to be trusted.
  virtual void corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) = 0;
};

/// What opening found out, for the log line, the metrics and the tests.
struct LogOpened {
  std::uint64_t records = 0;
  std::uint64_t end = 0;            ///< LSN behind the last record kept.
  std::uint64_t durable = 0;        ///< D: all below had been synced before this start.
  std::uint64_t torn_bytes = 0;     ///< Of the last group, never acknowledged, cut off.
  std::uint64_t corrupt_bytes = 0;  ///< Below D, quarantined.
  bool clean = false;               ///< The last record was Close.
  bool recreated = false;           ///< The catalogue knew a log, but there was none.
};

/// A file for the log to come: zero-filled once, so that the log's writes change no metadata.
///
/// Flow:    store -> [SpareFile] -> Log, which renames it when it needs it.
/// Thread:  one at a time, blocking: a worker, beside the log's own.
/// Owner:   Store. What was not finished is deleted by the next start.
/// Errors:  those of the disk; then the file is gone.
class SpareFile {
 public:
  SpareFile(runtime::Disk& disk, const std::string& dir, std::uint64_t bytes);
  /// Fills a part more, small enough not to hold up the log's own syncs. True: finished.
  Result<bool> step();
  const std::string& path() const { return path_; }

 private:
  Result<void> fill();
  runtime::Disk& disk_;
  std::string path_;
  std::uint64_t bytes_, filled_ = 0;
  std::unique_ptr<runtime::File> file_;
};

/// The group-commit log: an endless row of bytes over recycled files of fixed size.
///
/// Promise: when commit() returns, the group is on the medium; after a crash at any point, open()
///          returns every committed record, cuts what was never committed, and tells damage to
///          committed bytes (corrupt) from an interrupted write (torn). No durable byte is ever
///          rewritten.
/// Flow:    store -> [Log] -> disk.
/// Thread:  one at a time, blocking: the disk worker.
/// Owner:   Store. Disk, Clock and Entropy outlive it.
/// Errors:  Exhausted (no space: nothing of the group counts, later groups may succeed);
///          Unavailable (write or sync failed: failed() from then on, restart the process).
class Log {
 public:
  struct Options {
    std::string dir;  ///< Holds the files; `quarantine_dir` receives damaged bytes.
    std::string quarantine_dir;
    std::uint64_t file_bytes = std::uint64_t{64} << 20;
    /// Of a file that nothing was prepared for: the first, and any that is needed too soon.
    std::uint64_t short_file_bytes = std::uint64_t{4} << 20;
    record::GatewayId gateway{};
    std::uint32_t epoch = 1;
    std::uint64_t sealed_lsn = 0;   ///< Below it the catalogue needs no record.
    std::uint64_t durable_lsn = 0;  ///< As the catalogue knows it.
  };

  /// Recovers what is there into `sink`, then starts a file if none can be continued.
  /// Errors: those of the disk; Corrupt only when the sink says so.
  static Result<std::unique_ptr<Log>> open(runtime::Disk& disk, Clock& clock,
                                           runtime::Entropy& entropy, Options options,
                                           LogSink& sink, LogOpened& opened);
  ~Log();

  /// Writes the records as one group and syncs it. Requires: at least one record, together
  /// at most kMaxGroup with headers and padding.
  Result<void> commit(std::span<LogRecord> group);
  /// Remembers definitions that came from elsewhere (the catalogue), for the next file.
  void remember(std::string define_key, std::string payload);
  /// After 10 s without a group, so that rot in the last one reads as corrupt, not as torn.
  Result<void> mark();
  /// Writes Close. No commit may follow.
  Result<void> close();

  /// Everything below `lsn` is in segments: its files become spare. Errors lose only the reuse.
  Result<void> release(std::uint64_t lsn);
  /// The current file fills, and no file is ready to follow it.
  bool wants_spare() const;
  /// Takes a finished SpareFile.
  void add_spare(const SpareFile& spare) { keep_spare(spare.path()); }
  /// Numbers rows anew: the files to come carry `epoch`.
  void start_epoch(std::uint32_t epoch);

  std::uint64_t durable_lsn() const { return durable_; }  ///< All below is synced.
  std::uint64_t first_lsn() const;                        ///< Of the oldest file in use.
  std::uint64_t bytes() const { return durable_ - first_lsn(); }
  bool failed() const { return failed_; }

 private:
  struct InUse {
    std::uint64_t file_no = 0, base_lsn = 0, capacity = 0;
    std::string path;
  };
  Log(runtime::Disk& disk, Clock& clock, runtime::Entropy& entropy, Options options);
  Result<void> recover(LogSink& sink, LogOpened& opened);
  Result<void> open_last(const LogFile& last);
  Result<void> place_file(const std::string& to, std::uint64_t at_least);
  Result<void> start_file(std::uint64_t at_least);
  Result<void> write_header(std::uint64_t file_no);
  Result<void> make_room(std::uint64_t bytes);
  Result<void> write_definitions();
  Result<void> write_group(std::span<LogRecord> group);
  Result<void> sync(runtime::File& file);
  static std::uint64_t group_size(std::span<const LogRecord> group);
  void keep_spare(const std::string& path);
  void discard(const std::string& path);

  runtime::Disk& disk_;
  Clock& clock_;
  runtime::Entropy& entropy_;
  Options options_;
  std::vector<InUse> files_;  ///< Oldest first; the last one is written to.
  std::vector<std::string> spares_;
  std::uint64_t next_file_no_ = 1;
  std::unique_ptr<runtime::File> file_;
  FileHeader header_{};
  std::uint64_t capacity_ = 0;  ///< Bytes of the file behind its header page.
  std::uint64_t end_ = 0;       ///< Where the next group goes.
  std::uint64_t durable_ = 0;
  std::map<std::string, std::string> definitions_;
  std::map<std::string, std::string> undefined_;  ///< Those that the current file lacks.
  std::string buffer_;
  bool abandon_file_ = false;  ///< A group failed half-written: continue in a new file.
  bool idle_ = false;          ///< The last record is a Mark.
  bool failed_ = false;
};

}  // namespace infiniedge::store
