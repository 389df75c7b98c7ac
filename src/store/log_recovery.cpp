// SPDX-License-Identifier: Apache-2.0
#include "store/log_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.hpp"
#include "store/log_scan.hpp"

namespace infiniedge::store {
namespace {

using runtime::Disk;

/// What stands in the directory under one file name.
struct Candidate {
  std::uint64_t file_no = 0;
  std::string path;
  std::uint64_t bytes = 0;
  std::optional<FileHeader> header;
};

Result<std::string> read_page(Disk& disk, const std::string& path, std::uint64_t& bytes) {
  auto file = disk.open(path, Disk::Mode::ReadDirect);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  bytes = *size;
  std::string page(kLogPage, '\0');
  auto n = (*file)->read(0, std::as_writable_bytes(std::span(page)));
  if (!n) return std::move(n).error();
  page.resize(*n);
  return page;
}

Result<std::vector<Candidate>> candidates(Disk& disk, const std::string& dir) {
  auto names = disk.list(dir);
  if (!names) return std::move(names).error();
  std::vector<Candidate> out;
  for (const std::string& name : *names) {
    const auto number = log_file_number(name);
    if (!number) continue;
    Candidate candidate{.file_no = *number, .path = dir + "/" + name};
    auto page = read_page(disk, candidate.path, candidate.bytes);
    if (!page) return std::move(page).error();
    candidate.header = decode_header_page(base::as_bytes(*page), *number);
    out.push_back(std::move(candidate));
  }
  return out;  // In byte order of the names, and so of the numbers.
}

/// Sees what a first pass over the last file can tell: D, and what lies behind the end.
class Survey final : public ScanSink {
 public:
  Result<void> record(const RecordHeader& header, base::ByteView) override {
    durable = std::max(durable, header.durable_lsn);
    last = header.lsn;
    any = true;
    return {};
  }
  Result<void> corrupt(std::uint64_t, std::uint64_t, const RecordHeader*) override { return {}; }

  std::uint64_t durable = 0, last = 0;
  bool any = false;
};

class Recovery {
 public:
  Recovery(Disk& disk, const Log::Options& options, LogSink& sink)
      : disk_(disk), options_(options), sink_(sink) {}

  Result<LogRecovery> run() {
    INFINIEDGE_TRY(take_inventory());
    durable_ = std::max(options_.durable_lsn, options_.sealed_lsn);
    for (const LogFile& file : out_.chain) {
      durable_ = std::max(durable_, file.header.durable_lsn);
    }
    Survey survey;
    if (!out_.chain.empty()) INFINIEDGE_TRY(examine(survey));
    durable_ = std::max(durable_, survey.durable);
    INFINIEDGE_TRY(replay());
    finish(survey);
    return std::move(out_);
  }

 private:
  /// Sorts the files into the chain and spares. A file whose header is damaged counts as missing
  /// when the chain goes on behind it.
  Result<void> take_inventory() {
    auto found = candidates(disk_, options_.dir);
    if (!found) return std::move(found).error();
    for (const Candidate& candidate : *found) {
      out_.next_file_no = std::max(out_.next_file_no, candidate.file_no + 1);
      if (!candidate.header || candidate.bytes <= kLogPage) continue;
      if (candidate.header->gateway != options_.gateway) {
        runtime::log(runtime::Level::Warning, "store",
                     "a log file of another gateway is left alone", {{"file", candidate.path}});
        continue;
      }
      out_.chain.push_back({candidate.path, *candidate.header, candidate.bytes - kLogPage});
    }
    while (out_.chain.size() > 1 && out_.chain[1].header.prev_end_lsn <= options_.sealed_lsn) {
      out_.spares.push_back(out_.chain.front().path);
      out_.chain.erase(out_.chain.begin());
    }
    for (const Candidate& candidate : *found) {
      if (!candidate.header) sort_out(candidate);
    }
    return {};
  }

  /// A file without a header of ours: never begun, or the one that the chain lacks.
  void sort_out(const Candidate& candidate) {
    const auto& chain = out_.chain;
    const auto next = std::find_if(chain.begin(), chain.end(), [&](const LogFile& file) {
      return file.header.file_no > candidate.file_no;
    });
    const bool missing = next != chain.begin() && next != chain.end() &&
                         next->header.prev_end_lsn > std::prev(next)->limit();
    if (!missing) {
      out_.spares.push_back(candidate.path);
      return;
    }
    runtime::log(runtime::Level::Error, "store", "the header of a log file is damaged",
                 {{"file", candidate.path}});
    const std::string to =
        fmt::format("{}/{}", options_.quarantine_dir, log_file_name(candidate.file_no));
    if (auto moved = disk_.rename(candidate.path, to); !moved) {
      runtime::log(runtime::Level::Warning, "store", "cannot move it to the quarantine",
                   {{"error", moved.error().describe()}});
    }
  }

  Result<void> examine(Survey& survey) {
    const LogFile& last = out_.chain.back();
    auto file = disk_.open(last.path, Disk::Mode::ReadDirect);
    if (!file) return std::move(file).error();
    return LogScan(**file, last.header, last.limit(), UINT64_MAX).run(survey);
  }

  Result<void> replay() {
    for (std::size_t i = 0; i < out_.chain.size(); ++i) {
      const LogFile& file = out_.chain[i];
      const bool last = i + 1 == out_.chain.size();
      const std::uint64_t next = last ? 0 : out_.chain[i + 1].header.prev_end_lsn;
      const std::uint64_t limit = last ? file.limit() : std::min(next, file.limit());
      INFINIEDGE_TRY(replay_file(file, limit));
      if (!last && next > file.limit()) INFINIEDGE_TRY(lose(file.limit(), next));
    }
    return {};
  }

  /// Bytes of a file that is missing in the chain.
  Result<void> lose(std::uint64_t from, std::uint64_t to) {
    out_.opened.corrupt_bytes += to - from;
    sink_.corrupt(from, to, nullptr);
    return {};
  }

  Result<void> replay_file(const LogFile& file, std::uint64_t limit);

  void finish(const Survey& survey) {
    LogOpened& opened = out_.opened;
    opened.durable = durable_;
    opened.recreated = out_.chain.empty() && durable_ > 0;
    // Numbers never go back, even if files were lost.
    const std::uint64_t least = round_up(durable_, kLogPage);
    const bool beyond = opened.end < least;
    out_.continues = !out_.chain.empty() && opened.end % kLogPage == 0 && !beyond &&
                     !(survey.any && survey.last >= opened.end) &&
                     out_.chain.back().header.epoch == options_.epoch;
    if (survey.any && survey.last >= opened.end) {
      opened.torn_bytes = survey.last + kRecordHeader - opened.end;
    }
    if (beyond) opened.end = least;
  }

  Disk& disk_;
  const Log::Options& options_;
  LogSink& sink_;
  LogRecovery out_;
  std::uint64_t durable_ = 0;
};

/// Passes records on, and damaged bytes to the quarantine too.
class Replay final : public ScanSink {
 public:
  Replay(Disk& disk, const Log::Options& options, const LogFile& file, runtime::File& handle,
         LogSink& sink, LogOpened& opened)
      : disk_(disk),
        options_(options),
        log_file_(file),
        handle_(handle),
        sink_(sink),
        opened_(opened) {}

  Result<void> record(const RecordHeader& header, base::ByteView payload) override {
    ++opened_.records;
    opened_.clean = header.type == RecordType::Close;
    return sink_.record(header, payload);
  }

  Result<void> corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) override {
    opened_.corrupt_bytes += to - from;
    if (auto kept = quarantine(from, to); !kept) {
      runtime::log(runtime::Level::Warning, "store", "cannot keep a copy of the damaged bytes",
                   {{"error", kept.error().describe()}});
    }
    sink_.corrupt(from, to, hint);
    return {};
  }

 private:
  Result<void> quarantine(std::uint64_t from, std::uint64_t to) {
    const std::string path =
        fmt::format("{}/{:020}-{}.bytes", options_.quarantine_dir, from, to - from);
    auto copy = disk_.open(path, Disk::Mode::Create);
    if (!copy) {
      // An earlier start kept it already.
      if (copy.error().code() == Code::Exists) return {};
      return std::move(copy).error();
    }
    std::string bytes;
    for (std::uint64_t at = from; at < to; at += bytes.size()) {
      bytes.resize(std::min<std::uint64_t>(to - at, std::uint64_t{1} << 20));
      const std::uint64_t offset = at - log_file_.header.base_lsn + kLogPage;
      auto n = handle_.read(offset, std::as_writable_bytes(std::span(bytes)));
      if (!n) return std::move(n).error();
      INFINIEDGE_TRY((*copy)->write(at - from, base::as_bytes(bytes)));
    }
    return (*copy)->sync_data();
  }

  Disk& disk_;
  const Log::Options& options_;
  const LogFile& log_file_;
  runtime::File& handle_;
  LogSink& sink_;
  LogOpened& opened_;
};

Result<void> Recovery::replay_file(const LogFile& file, std::uint64_t limit) {
  auto handle = disk_.open(file.path, Disk::Mode::ReadDirect);
  if (!handle) return std::move(handle).error();
  sink_.file(file.header);
  Replay replay(disk_, options_, file, **handle, sink_, out_.opened);
  LogScan scan(**handle, file.header, limit, durable_);
  INFINIEDGE_TRY(scan.run(replay));
  out_.opened.end = scan.end();
  return {};
}

}  // namespace

Result<std::optional<FileHeader>> newest_log_file(Disk& disk, const std::string& dir) {
  auto found = candidates(disk, dir);
  if (!found) return std::move(found).error();
  std::optional<FileHeader> newest;
  for (const Candidate& candidate : *found) {
    if (candidate.header) newest = candidate.header;
  }
  return newest;
}

Result<LogRecovery> recover_log(Disk& disk, const Log::Options& options, LogSink& sink) {
  return Recovery(disk, options, sink).run();
}

}  // namespace infiniedge::store
