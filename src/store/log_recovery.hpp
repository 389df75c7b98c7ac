// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/disk.hpp"
#include "store/log.hpp"
#include "store/log_format.hpp"

namespace infiniedge::store {

/// A log file whose header is whole and ours.
struct LogFile {
  std::string path;
  FileHeader header;
  std::uint64_t capacity = 0;  ///< Bytes behind the header page.

  std::uint64_t limit() const { return header.base_lsn + capacity; }
};

/// What recovery leaves for the writer.
struct LogRecovery {
  std::vector<LogFile> chain;       ///< In use, oldest first.
  std::vector<std::string> spares;  ///< Hold nothing that is needed.
  std::uint64_t next_file_no = 1;
  /// The last file can be written on, from `opened.end`: only zeros follow it in its page, and no
  /// whole record anywhere behind.
  bool continues = false;
  LogOpened opened;
};

/// Reads the log in `options.dir` and gives every record that counts to `sink`.
///
/// How:    data.md 2. Only one group is ever in flight, and each record carries the LSN at which
///         its group starts, which is also what was durable then (D, the largest of these). What
///         does not fit at or above D is torn: a group that was never acknowledged. Below D it
///         is corrupt: those bytes were synced once and have changed.
/// Thread: the disk worker; blocking.
/// Errors: those of the disk and the sink.
Result<LogRecovery> recover_log(runtime::Disk& disk, const Log::Options& options, LogSink& sink);

/// The header of the log file with the highest number, whoever's it is; nothing: no log yet.
Result<std::optional<FileHeader>> newest_log_file(runtime::Disk& disk, const std::string& dir);

}  // namespace infiniedge::store
