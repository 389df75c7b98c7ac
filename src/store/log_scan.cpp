// SPDX-License-Identifier: Apache-2.0
#include "store/log_scan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace infiniedge::store {
namespace {

constexpr std::size_t kReadAhead = std::size_t{1} << 20;

}  // namespace

Result<base::ByteView> LogWindow::view(std::uint64_t lsn, std::size_t length) {
  if (lsn < start_ || lsn + length > start_ + bytes_.size()) {
    // Keep what is still needed, and read on in whole chunks.
    const std::uint64_t begin = lsn / kLogPage * kLogPage;
    const bool overlaps = begin >= start_ && begin < start_ + bytes_.size();
    if (overlaps) {
      bytes_.erase(0, begin - start_);
    } else {
      bytes_.clear();
    }
    start_ = begin;
    const std::size_t have = bytes_.size();
    bytes_.resize(round_up(lsn + length - begin, kReadAhead));
    auto n = file_.read(start_ + have - base_lsn_ + kLogPage,
                        std::as_writable_bytes(std::span(bytes_)).subspan(have));
    if (!n) {
      bytes_.resize(have);
      return std::move(n).error();
    }
    bytes_.resize(have + *n);
  }
  const std::size_t offset = std::min<std::size_t>(lsn - start_, bytes_.size());
  return base::as_bytes(bytes_).subspan(offset, std::min(length, bytes_.size() - offset));
}

Result<void> LogScan::run(ScanSink& sink) {
  while (position_ < limit_) {
    auto found = look();
    if (!found) return std::move(found).error();
    switch (*found) {
      case Found::Record:
        INFINIEDGE_TRY(take(sink));
        break;
      case Found::Padding:
        position_ = std::min(round_up(position_, kLogPage), limit_);
        break;
      case Found::Bad: {
        auto more = pass_bad(sink);
        if (!more) return std::move(more).error();
        if (!*more) return {};
        break;
      }
    }
  }
  return {};
}

Result<LogScan::Found> LogScan::look() {
  auto whole = whole_record_at(position_);
  if (!whole) return std::move(whole).error();
  if (*whole) {
    auto bytes = window_.view(position_, kRecordHeader);
    if (!bytes) return std::move(bytes).error();
    const std::uint64_t group = read_record_header(*bytes).durable_lsn;
    // A record continues its group without a hole, or starts one at a page.
    const bool fits = group == group_ || (group == position_ && position_ % kLogPage == 0);
    return fits || resumed_ ? Found::Record : Found::Bad;
  }
  if (position_ % kLogPage == 0) return Found::Bad;
  auto zeros = zeros_to_page_end();
  if (!zeros) return std::move(zeros).error();
  if (!*zeros) return Found::Bad;
  const std::uint64_t page = round_up(position_, kLogPage);
  auto next = page < limit_ ? whole_record_at(page) : Result<bool>{false};
  if (!next) return std::move(next).error();
  if (!*next) return Found::Padding;
  auto bytes = window_.view(page, kRecordHeader);
  if (!bytes) return std::move(bytes).error();
  // Zeros within a group are a sector that was lost, not the padding at its end.
  return read_record_header(*bytes).durable_lsn == page ? Found::Padding : Found::Bad;
}

Result<bool> LogScan::whole_record_at(std::uint64_t lsn) {
  auto bytes = window_.view(lsn, kRecordHeader);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() < kRecordHeader) return false;
  const RecordHeader header = read_record_header(*bytes);
  if (header.lsn != lsn || header.durable_lsn > lsn || header.length > kMaxPayload ||
      lsn + record_size(header.length) > limit_) {
    return false;
  }
  bytes = window_.view(lsn, kRecordHeader + header.length);
  if (!bytes) return std::move(bytes).error();
  return record_is_whole(*bytes, header_.salt);
}

Result<bool> LogScan::zeros_to_page_end() {
  auto bytes = window_.view(position_, round_up(position_, kLogPage) - position_);
  if (!bytes) return std::move(bytes).error();
  return std::all_of(bytes->begin(), bytes->end(), [](std::byte b) { return b == std::byte{0}; });
}

Result<void> LogScan::take(ScanSink& sink) {
  auto bytes = window_.view(position_, kRecordHeader);
  if (!bytes) return std::move(bytes).error();
  const RecordHeader header = read_record_header(*bytes);
  bytes = window_.view(position_, kRecordHeader + header.length);
  if (!bytes) return std::move(bytes).error();
  INFINIEDGE_TRY(sink.record(header, bytes->subspan(kRecordHeader)));
  group_ = header.durable_lsn;
  resumed_ = false;
  position_ += record_size(header.length);
  return {};
}

/// Deals with bytes at the position that fit nothing. False: the log ends here.
Result<bool> LogScan::pass_bad(ScanSink& sink) {
  if (position_ >= durable_) return false;
  auto bytes = window_.view(position_, kRecordHeader);
  if (!bytes) return std::move(bytes).error();
  RecordHeader hint;
  bool readable = bytes->size() == kRecordHeader;
  if (readable) {
    hint = read_record_header(*bytes);
    readable = std::popcount(hint.lsn ^ position_) <= 1;  // The damage may be right there.
  }
  auto next = next_candidate(position_ + 8);
  if (!next) return std::move(next).error();
  // What was never durable is not lost, and nothing behind it counts.
  const bool ends = *next > durable_;
  const std::uint64_t to = std::min({*next, durable_, limit_});
  INFINIEDGE_TRY(sink.corrupt(position_, to, readable ? &hint : nullptr));
  position_ = to;
  resumed_ = true;
  return !ends;
}

/// The next place where a whole record stands, or the limit.
Result<std::uint64_t> LogScan::next_candidate(std::uint64_t from) {
  for (std::uint64_t lsn = round_up(from, 8); lsn < limit_;) {
    auto bytes = window_.view(lsn, kReadAhead);
    if (!bytes) return std::move(bytes).error();
    if (bytes->size() < kRecordHeader) return limit_;
    const std::size_t last = bytes->size() - kRecordHeader;
    std::size_t offset = 0;
    while (offset <= last && base::get<std::uint64_t>(*bytes, offset + 8) != lsn + offset) {
      offset += 8;
    }
    lsn += offset;
    if (offset > last) continue;
    auto whole = whole_record_at(lsn);
    if (!whole) return std::move(whole).error();
    if (*whole) return lsn;
    lsn += 8;
  }
  return limit_;
}

}  // namespace infiniedge::store
