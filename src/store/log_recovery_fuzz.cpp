// SPDX-License-Identifier: Apache-2.0
// A log file overwritten in places: recovery ends without a crash, gives only records that were
// written, in order, and finds the same a second time. Input: u8 file length in pages, then
// (u16 offset, u8 length, bytes) as often as there are any; an odd first byte repairs the CRC of
// the records it hits, so that what follows the checksum is reached too.
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "runtime/testing/sim_clock.hpp"
#include "runtime/testing/sim_disk.hpp"
#include "store/log.hpp"

using namespace infiniedge;
using runtime::testing::SimDisk;

namespace {

constexpr std::size_t kFile = 16 * store::kLogPage;

class Rows final : public store::LogSink {
 public:
  void file(const store::FileHeader&) override {}
  Result<void> record(const store::RecordHeader& header, base::ByteView payload) override {
    if (header.type == store::RecordType::Batch) rows.emplace_back(base::as_text(payload));
    return {};
  }
  void corrupt(std::uint64_t, std::uint64_t, const store::RecordHeader*) override {}
  std::vector<std::string> rows;
};

store::Log::Options options() {
  store::Log::Options options{.dir = "/log", .quarantine_dir = "/quarantine"};
  options.file_bytes = options.short_file_bytes = kFile;
  return options;
}

/// `seed`: another one each time, as a recycled file must not get its old salt again.
std::unique_ptr<store::Log> open(SimDisk& disk, Rows& rows, std::uint64_t seed) {
  runtime::testing::SimClock clock;
  runtime::SeededEntropy entropy{seed};
  store::LogOpened opened;
  auto log = store::Log::open(disk, clock, entropy, options(), rows, opened);
  return log ? std::move(*log) : nullptr;
}

const std::vector<std::string>& written() {
  static const std::vector<std::string> rows = [] {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < 12; ++i) out.push_back(std::string(40 + i * 97, char('a' + i)));
    return out;
  }();
  return rows;
}

/// A log of twelve rows in six groups.
std::string original() {
  SimDisk disk;
  {
    Rows none;
    const auto log = open(disk, none, 1);
    for (std::size_t i = 0; i < written().size(); i += 2) {
      std::vector<store::LogRecord> group(2);
      group[0].payload = written()[i];
      group[1].payload = written()[i + 1];
      INFINIEDGE_CHECK(log->commit(group).has_value());
    }
  }
  return *disk.bytes("/log/" + store::log_file_name(1));
}

/// Gives the record at `offset` the checksum of what it says now.
void repair(std::string& file, std::size_t offset) {
  const auto bytes = base::as_bytes(file);
  if (offset + store::kRecordHeader > file.size()) return;
  const auto header = store::read_record_header(bytes.subspan(offset));
  const std::size_t length = store::kRecordHeader + header.length;
  if (header.length > file.size() || offset + length > file.size()) return;
  const auto salt = base::get<std::uint64_t>(bytes, 56);
  const auto crc = base::crc32c(bytes.subspan(offset + 4, length - 4),
                                base::crc32c(std::as_bytes(std::span(&salt, 1))));
  file.replace(offset, 4, reinterpret_cast<const char*>(&crc), 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string whole = original();
  std::string file = whole;
  base::Reader reader(std::as_bytes(std::span(data, size)));
  std::uint8_t first = 0, length = 0;
  std::uint16_t offset = 0;
  if (!reader.read(first)) return 0;
  const bool repairs = first % 2 == 1;
  while (reader.read(offset) && reader.read(length)) {
    base::ByteView bytes;
    if (!reader.read_bytes(std::min<std::size_t>(length, reader.left()), bytes)) break;
    if (offset + bytes.size() > file.size()) continue;
    file.replace(offset, bytes.size(), base::as_text(bytes));
    if (repairs) repair(file, offset / 8 * 8);
  }
  file.resize((1 + first / 2 % 16) * store::kLogPage);

  SimDisk disk;
  INFINIEDGE_CHECK(disk.make_dir("/log").has_value());
  auto handle = disk.open("/log/" + store::log_file_name(1), runtime::Disk::Mode::Create);
  INFINIEDGE_CHECK(handle && (*handle)->write(0, base::as_bytes(file)).has_value());
  Rows once, twice;
  if (open(disk, once, 2) == nullptr) return 0;
  INFINIEDGE_CHECK(open(disk, twice, 3) != nullptr);
  INFINIEDGE_CHECK(once.rows == twice.rows);
  if (repairs) return 0;  // A forged record is as good as a written one.
  auto next = written().begin();
  for (const std::string& row : once.rows) {
    next = std::find(next, written().end(), row);
    INFINIEDGE_CHECK(next != written().end());
    ++next;
  }
  return 0;
}
