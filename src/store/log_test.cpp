// SPDX-License-Identifier: Apache-2.0
#include "store/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/crc32c.hpp"
#include "runtime/testing/sim_clock.hpp"
#include "runtime/testing/sim_disk.hpp"

namespace infiniedge::store {
namespace {

using runtime::testing::SimDisk;

/// Remembers what recovery reports.
class Found final : public LogSink {
 public:
  void file(const FileHeader&) override {}
  Result<void> record(const RecordHeader& header, base::ByteView payload) override {
    if (header.type == RecordType::Batch) rows.emplace_back(base::as_text(payload));
    if (header.type == RecordType::Define) defined.emplace_back(base::as_text(payload));
    return {};
  }
  void corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) override {
    lost.emplace_back(from, to);
    if (hint != nullptr) hints.push_back(*hint);
  }
  std::vector<std::string> rows, defined;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lost;
  std::vector<RecordHeader> hints;
};

class LogTest : public ::testing::Test {
 protected:
  static Log::Options options() {
    Log::Options options{.dir = "/log", .quarantine_dir = "/quarantine"};
    options.file_bytes = 16 * kLogPage;
    options.short_file_bytes = 16 * kLogPage;
    options.gateway[0] = std::byte{7};
    return options;
  }
  Result<std::unique_ptr<Log>> open(SimDisk& disk, Log::Options with = options()) {
    found_ = {};
    opened_ = {};
    return Log::open(disk, clock_, entropy_, std::move(with), found_, opened_);
  }
  static Result<void> commit(Log& log, std::vector<std::string> payloads) {
    std::vector<LogRecord> group;
    for (std::string& payload : payloads) group.push_back({.payload = std::move(payload)});
    return log.commit(group);
  }
  /// Gives up where the disk does, as the store would.
  static void add_spare(SimDisk& disk, Log& log) {
    SpareFile spare(disk, "/log", options().file_bytes);
    auto finished = spare.step();
    while (finished && !*finished) finished = spare.step();
    if (finished) log.add_spare(spare);
  }
  static std::string newest_file(const SimDisk& disk) {
    std::string newest;
    for (const std::string& file : disk.files()) {
      if (file.starts_with("/log/")) newest = file;
    }
    return newest;
  }

  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{11};
  Found found_;
  LogOpened opened_;
};

TEST_F(LogTest, CommittedRecordsComeBackInOrder) {
  SimDisk disk;
  {
    auto log = open(disk);
    ASSERT_TRUE(log) << log.error().describe();
    ASSERT_TRUE(commit(**log, {"a", "bb"}));
    ASSERT_TRUE(commit(**log, {std::string(9000, 'c')}));
  }
  auto log = open(disk);
  ASSERT_TRUE(log) << log.error().describe();
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"a", "bb", std::string(9000, 'c')}));
  EXPECT_TRUE(found_.lost.empty());
  EXPECT_FALSE(opened_.clean);
  ASSERT_TRUE((*log)->close());
  log = open(disk);
  EXPECT_TRUE(opened_.clean);
}

TEST_F(LogTest, CleanStartWritesOnInTheSameFile) {
  SimDisk disk;
  for (int start = 0; start < 5; ++start) {
    auto log = open(disk);
    ASSERT_TRUE(commit(**log, {std::to_string(start)}));
  }
  EXPECT_EQ(disk.files().size(), 1u);
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
}

TEST_F(LogTest, FullFileIsFollowedByANewOneThatRepeatsDefinitions) {
  SimDisk disk;
  {
    auto log = open(disk);
    std::vector<LogRecord> define = {
        {.type = RecordType::Define, .payload = "stream 1", .define_key = "s1"}};
    ASSERT_TRUE((*log)->commit(define));
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(commit(**log, {std::to_string(i)}));
  }
  EXPECT_GE(disk.files().size(), 3u);
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows.size(), 40u);
  EXPECT_GE(found_.defined.size(), 3u);
  EXPECT_TRUE(std::all_of(found_.defined.begin(), found_.defined.end(),
                          [](const std::string& text) { return text == "stream 1"; }));
}

TEST_F(LogTest, ReleasedFilesAreRecycled) {
  SimDisk disk;
  auto log = open(disk);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(commit(**log, {std::to_string(i)}));
    ASSERT_TRUE((*log)->release((*log)->durable_lsn()));
  }
  EXPECT_LE(disk.files().size(), 2u);
  const std::uint64_t sealed = (*log)->durable_lsn();
  ASSERT_TRUE(commit(**log, {"last"}));
  log->reset();
  auto with = options();
  with.sealed_lsn = sealed;
  ASSERT_TRUE(open(disk, with));
  EXPECT_EQ(found_.rows.back(), "last");
  EXPECT_TRUE(found_.lost.empty());
}

TEST_F(LogTest, FileNeededTooSoonIsShortAndIsNotRecycled) {
  SimDisk disk;
  auto with = options();
  with.file_bytes = std::uint64_t{1} << 20;
  auto log = open(disk, with);
  EXPECT_EQ(disk.bytes(newest_file(disk))->size(), 16 * kLogPage);
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(commit(**log, {std::to_string(i)}));
  EXPECT_EQ(disk.files().size(), 2u);
  EXPECT_EQ(disk.bytes(newest_file(disk))->size(), 16 * kLogPage);
  ASSERT_TRUE((*log)->release((*log)->durable_lsn()));
  EXPECT_EQ(disk.files().size(), 1u) << "a short file is not worth keeping";
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(commit(**log, {std::to_string(i)}));
  ASSERT_TRUE((*log)->wants_spare());
  SpareFile spare(disk, "/log", with.file_bytes);
  EXPECT_FALSE(*spare.step()) << "in parts";
  while (!*spare.step()) {
  }
  (*log)->add_spare(spare);
  EXPECT_FALSE((*log)->wants_spare());
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(commit(**log, {std::to_string(i)}));
  EXPECT_EQ(disk.bytes(newest_file(disk))->size(), with.file_bytes);
  log->reset();
  ASSERT_TRUE(open(disk, with));
  EXPECT_EQ(found_.rows.back(), "15");
  EXPECT_TRUE(found_.lost.empty());
}

TEST_F(LogTest, TornGroupIsCutAndItsFileEndsThere) {
  SimDisk disk;
  auto log = open(disk);
  ASSERT_TRUE(commit(**log, {"kept"}));
  const std::size_t before = disk.operations();
  ASSERT_TRUE(commit(**log, {"first", std::string(6000, 'x'), "last"}));
  // The second page of the group is lost, the rest is there.
  SimDisk::Fate fate{SimDisk::Fate::Kind::Sectors, 4096, 0b01};
  auto crashed = disk.crash(before + 1, {fate});
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"kept", "first"}));
  EXPECT_TRUE(found_.lost.empty());
  fate.pattern = 0b10;
  crashed = disk.crash(before + 1, {fate});
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"kept"}));
  EXPECT_GT(opened_.torn_bytes, 0u) << "a whole record stands behind the hole";
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"kept"}));
  EXPECT_TRUE(found_.lost.empty());
}

TEST_F(LogTest, TailThatAKilledProcessLeftUnsyncedIsDurableOnceShown) {
  SimDisk disk;
  auto log = open(disk);
  ASSERT_TRUE(commit(**log, {"one"}));
  const std::size_t before = disk.operations();
  ASSERT_TRUE(commit(**log, {"two"}));
  const auto killed = disk.without_process(before + 1);  // Written, not synced.
  ASSERT_EQ(killed->undurable(killed->operations()).size(), 1u);
  ASSERT_TRUE(open(*killed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one", "two"}));
  const auto crashed = killed->crash(killed->operations(), {});
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one", "two"}));
}

TEST_F(LogTest, LostSectorThatReadsAsZerosIsNotTakenForPadding) {
  SimDisk disk;
  auto log = open(disk);
  const std::size_t before = disk.operations();
  // 472 + 40 = 512: the second record starts at a sector and fills the page.
  ASSERT_TRUE(commit(**log, {std::string(472, 'a'), std::string(3544, 'b'), "c"}));
  SimDisk::Fate fate{SimDisk::Fate::Kind::Sectors, 512, (1ull << 8) | 1, true};
  auto crashed = disk.crash(before + 1, {fate});
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{std::string(472, 'a')}));
}

TEST_F(LogTest, FlippedBitBelowTheDurableMarkIsCorruptAndCostsOneRecord) {
  SimDisk disk;
  {
    auto log = open(disk);
    for (const char* row : {"one", "two", "three"}) ASSERT_TRUE(commit(**log, {row}));
  }
  const std::string file = newest_file(disk);
  disk.flip(file, (2 * kLogPage + kRecordHeader) * 8);  // In "two".
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one", "three"}));
  ASSERT_EQ(found_.lost.size(), 1u);
  EXPECT_EQ(found_.lost[0], (std::pair<std::uint64_t, std::uint64_t>{kLogPage, 2 * kLogPage}));
  EXPECT_EQ(found_.hints.size(), 1u);
  EXPECT_TRUE(disk.bytes("/quarantine/00000000000000004096-4096.bytes"));
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one", "three"}));
}

TEST_F(LogTest, RotInTheLastGroupIsCorruptOnceAMarkFollowed) {
  SimDisk disk;
  {
    auto log = open(disk);
    ASSERT_TRUE(commit(**log, {"one"}));
    ASSERT_TRUE((*log)->mark());
    const std::uint64_t end = (*log)->durable_lsn();
    ASSERT_TRUE((*log)->mark());
    EXPECT_EQ((*log)->durable_lsn(), end) << "one mark is enough";
  }
  disk.flip(newest_file(disk), (kLogPage + kRecordHeader) * 8);
  ASSERT_TRUE(open(disk));
  EXPECT_TRUE(found_.rows.empty());
  EXPECT_EQ(found_.lost.size(), 1u);
}

TEST_F(LogTest, EitherCopyOfTheFileHeaderIsEnough) {
  for (const std::uint64_t byte : {0u, 40u, 79u, 83u, 2048u, 2100u}) {
    SimDisk disk;
    {
      auto log = open(disk);
      ASSERT_TRUE(commit(**log, {"one"}));
    }
    disk.flip(newest_file(disk), byte * 8);
    ASSERT_TRUE(open(disk));
    EXPECT_EQ(found_.rows, (std::vector<std::string>{"one"})) << byte;
  }
}

TEST_F(LogTest, FileOfAnotherGatewayIsLeftAlone) {
  SimDisk disk;
  {
    auto log = open(disk);
    ASSERT_TRUE(commit(**log, {"theirs"}));
  }
  auto with = options();
  with.gateway[0] = std::byte{8};
  {
    auto log = open(disk, with);
    ASSERT_TRUE(log);
    EXPECT_TRUE(found_.rows.empty());
    ASSERT_TRUE(commit(**log, {"ours"}));
  }
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"theirs"}));
}

TEST_F(LogTest, FullDiskRefusesAGroupAndTakesLaterOnes) {
  SimDisk disk;
  auto log = open(disk);
  ASSERT_TRUE(commit(**log, {"one"}));
  disk.fail_at(1, Code::Exhausted);
  auto refused = commit(**log, {std::string(3000, 'n'), std::string(3000, 'm')});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::Exhausted);
  EXPECT_FALSE((*log)->failed());
  disk.heal();
  ASSERT_TRUE(commit(**log, {"two"}));
  log->reset();
  ASSERT_TRUE(open(disk));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(found_.lost.empty());
}

TEST_F(LogTest, FailedSyncIsNeverRetried) {
  SimDisk disk;
  auto log = open(disk);
  ASSERT_TRUE(commit(**log, {"one"}));
  disk.fail_at(2, Code::Unavailable);  // The write, then the sync.
  auto failed = commit(**log, {"two"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::Unavailable);
  disk.heal();
  EXPECT_TRUE((*log)->failed());
  const std::size_t operations = disk.operations();
  EXPECT_EQ(commit(**log, {"three"}).error().code(), Code::Unavailable);
  EXPECT_EQ(disk.operations(), operations) << "nothing may touch the file again";
  auto crashed = disk.crash(operations, {});
  ASSERT_TRUE(open(*crashed));
  EXPECT_EQ(found_.rows, (std::vector<std::string>{"one"}));
}

TEST_F(LogTest, EveryFaultyCallLeavesALogThatOpensWithWhatWasAcknowledged) {
  for (const Code code : {Code::Exhausted, Code::Unavailable}) {
    for (std::size_t n = 1; n < 60; ++n) {
      SimDisk disk;
      std::vector<std::string> acknowledged;
      {
        auto log = open(disk);
        disk.fail_at(n, code);
        for (int i = 0; i < 30; ++i) {
          const std::string row = std::to_string(i);
          if (commit(**log, {row})) acknowledged.push_back(row);
          if (log && (*log)->wants_spare()) add_spare(disk, **log);
        }
        disk.heal();
      }
      auto crashed = disk.crash(disk.operations(), {});
      auto log = open(*crashed);
      ASSERT_TRUE(log) << log.error().describe();
      ASSERT_TRUE(std::includes(
          found_.rows.begin(), found_.rows.end(), acknowledged.begin(), acknowledged.end(),
          [](const std::string& a, const std::string& b) { return std::stoi(a) < std::stoi(b); }))
          << to_string(code) << ' ' << n;
      ASSERT_TRUE(found_.lost.empty());
    }
  }
}

TEST_F(LogTest, CrashWhileAFileIsRecycledLosesNothing) {
  SimDisk disk;
  std::vector<std::pair<std::size_t, std::string>> acknowledged;
  std::uint64_t sealed = 0;
  {
    auto log = open(disk);
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(commit(**log, {std::to_string(i)}));
      acknowledged.emplace_back(disk.operations(), std::to_string(i));
      if (i == 20) sealed = (*log)->durable_lsn();
      if (i > 20) ASSERT_TRUE((*log)->release(sealed));
    }
  }
  auto with = options();
  for (std::size_t at = 1; at <= disk.operations(); ++at) {
    for (const auto kind : {SimDisk::Fate::Kind::Dropped, SimDisk::Fate::Kind::Kept}) {
      auto crashed = disk.crash(at, {disk.undurable(at).size(), SimDisk::Fate{kind}});
      ASSERT_TRUE(crashed->make_dir("/log"));
      const bool is_sealed = acknowledged[20].first <= at;
      with.sealed_lsn = is_sealed ? sealed : 0;
      ASSERT_TRUE(open(*crashed, with));
      ASSERT_TRUE(found_.lost.empty()) << at;
      for (std::size_t i = is_sealed ? 21 : 0; i < acknowledged.size(); ++i) {
        if (acknowledged[i].first > at) continue;
        ASSERT_TRUE(std::count(found_.rows.begin(), found_.rows.end(), acknowledged[i].second))
            << "row " << i << " at " << at;
      }
    }
  }
}

TEST(LogFormat, ChecksumHasTheKnownValues) {
  EXPECT_EQ(base::crc32c(base::as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(base::crc32c(base::as_bytes(std::string(32, '\0'))), 0x8A9136AAu);
}

TEST(LogFormat, FileNamesAreTheirNumbers) {
  EXPECT_EQ(log_file_name(7), "00000000000000000007.ielog");
  EXPECT_EQ(log_file_number("00000000000000000007.ielog"), 7u);
  EXPECT_FALSE(log_file_number("7.ielog"));
  EXPECT_FALSE(log_file_number("0000000000000000000x.ielog"));
}

}  // namespace
}  // namespace infiniedge::store
