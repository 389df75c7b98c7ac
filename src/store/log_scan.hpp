// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "runtime/disk.hpp"
#include "store/log_recovery.hpp"

namespace infiniedge::store {

/// A window that slides over a log file: at most one record and a chunk are in memory.
class LogWindow {
 public:
  LogWindow(runtime::File& file, std::uint64_t base_lsn) : file_(file), base_lsn_(base_lsn) {}

  /// `length` bytes from `lsn` on, fewer at the end of the file. Valid until the next call.
  Result<base::ByteView> view(std::uint64_t lsn, std::size_t length);

 private:
  runtime::File& file_;
  std::uint64_t base_lsn_;
  std::uint64_t start_ = 0;  ///< LSN of the first byte in `bytes_`.
  std::string bytes_;
};

/// Receives what a scan finds, in order.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  virtual Result<void> record(const RecordHeader& header, base::ByteView payload) = 0;
  virtual Result<void> corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) = 0;
};

/// Walks one log file.
///
/// Thread: the disk worker; blocking.
/// Errors: those of the disk and the sink.
class LogScan {
 public:
  /// Scans up to `limit`; bytes that do not fit end the scan from `durable` on, and are corrupt
  /// below it.
  LogScan(runtime::File& file, const FileHeader& header, std::uint64_t limit, std::uint64_t durable)
      : window_(file, header.base_lsn),
        header_(header),
        limit_(limit),
        durable_(durable),
        position_(header.base_lsn),
        group_(header.base_lsn) {}

  Result<void> run(ScanSink& sink);
  /// Behind the last record kept, or behind the zeros that fill its page.
  std::uint64_t end() const { return position_; }

 private:
  enum class Found { Record, Padding, Bad };
  Result<Found> look();
  Result<bool> whole_record_at(std::uint64_t lsn);
  Result<bool> zeros_to_page_end();
  Result<std::uint64_t> next_candidate(std::uint64_t from);
  Result<void> take(ScanSink& sink);
  Result<bool> pass_bad(ScanSink& sink);

  LogWindow window_;
  const FileHeader& header_;
  std::uint64_t limit_, durable_;
  std::uint64_t position_;  ///< LSN under examination.
  std::uint64_t group_;     ///< LSN at which the group of the last record starts.
  bool resumed_ = false;    ///< The position was found by searching: any group may stand here.
};

}  // namespace infiniedge::store
