// SPDX-License-Identifier: Apache-2.0
#include "runtime/disk.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/bytes.hpp"
#include "runtime/testing/sim_disk.hpp"

namespace infiniedge::runtime {
namespace {

using testing::SimDisk;
using Fate = SimDisk::Fate;

class PosixDisk : public ::testing::Test {
 protected:
  PosixDisk() {
    std::string name = std::filesystem::temp_directory_path() / "ie-disk-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~PosixDisk() override { std::filesystem::remove_all(dir_); }
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

  std::unique_ptr<Disk> disk_ = make_posix_disk();
  std::string dir_;
};

std::string read_all(File& file) {
  std::string bytes(*file.size(), '\0');
  EXPECT_EQ(*file.read(0, std::as_writable_bytes(std::span(bytes))), bytes.size());
  return bytes;
}

TEST_F(PosixDisk, AllocatedFileIsZeroAndReadsBackWhatWasWritten) {
  auto file = disk_->open(path("a"), Disk::Mode::Create);
  ASSERT_TRUE(file) << file.error().describe();
  ASSERT_TRUE((*file)->allocate(3 << 20));
  EXPECT_EQ(*(*file)->size(), 3u << 20);
  ASSERT_TRUE((*file)->write(5000, base::as_bytes("hello")));
  ASSERT_TRUE((*file)->sync_data());
  std::string expected(3 << 20, '\0');
  expected.replace(5000, 5, "hello");
  EXPECT_EQ(read_all(**file), expected);
  auto direct = disk_->open(path("a"), Disk::Mode::ReadDirect);
  ASSERT_TRUE(direct) << direct.error().describe();
  EXPECT_EQ(read_all(**direct), expected);
}

TEST_F(PosixDisk, DirectReadOfAnyRangeEqualsABufferedOne) {
  auto file = disk_->open(path("a"), Disk::Mode::Create);
  std::string bytes(10'007, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  ASSERT_TRUE((*file)->write(0, base::as_bytes(bytes)));
  ASSERT_TRUE((*file)->sync_data());
  auto direct = disk_->open(path("a"), Disk::Mode::ReadDirect);
  for (const std::size_t offset : {0, 1, 4095, 4096, 9000, 10'006, 10'007, 20'000}) {
    for (const std::size_t length : {1, 100, 4096, 8192, 20'000}) {
      std::string got(length, '\0');
      auto n = (*direct)->read(offset, std::as_writable_bytes(std::span(got)));
      ASSERT_TRUE(n);
      got.resize(*n);
      ASSERT_EQ(got, offset < bytes.size() ? bytes.substr(offset, length) : "")
          << offset << ' ' << length;
    }
  }
}

TEST_F(PosixDisk, ErrorsSayWhatTheCallerShouldDo) {
  EXPECT_EQ(disk_->open(path("none"), Disk::Mode::Read).error().code(), Code::NotFound);
  ASSERT_TRUE(disk_->open(path("a"), Disk::Mode::Create));
  EXPECT_EQ(disk_->open(path("a"), Disk::Mode::Create).error().code(), Code::Exists);
  auto full = disk_->open("/dev/full", Disk::Mode::Write);
  ASSERT_TRUE(full);
  EXPECT_EQ((*full)->write(0, base::as_bytes("x")).error().code(), Code::Exhausted);
}

TEST_F(PosixDisk, ListsRenamesAndUnlinks) {
  ASSERT_TRUE(disk_->make_dir(path("d/e")));
  ASSERT_TRUE(disk_->make_dir(path("d/e")));
  ASSERT_TRUE(disk_->open(path("d/2"), Disk::Mode::Create));
  ASSERT_TRUE(disk_->rename(path("d/2"), path("d/1")));
  ASSERT_TRUE(disk_->sync_dir(path("d")));
  EXPECT_EQ(*disk_->list(path("d")), (std::vector<std::string>{"1", "e"}));
  ASSERT_TRUE(disk_->unlink(path("d/1")));
  EXPECT_EQ(*disk_->list(path("d")), (std::vector<std::string>{"e"}));
  EXPECT_GT(disk_->space(dir_)->total, 0u);
}

TEST_F(PosixDisk, SecondHolderOfALockIsToldThePid) {
  auto held = disk_->lock(path("LOCK"));
  ASSERT_TRUE(held) << held.error().describe();
  auto second = disk_->lock(path("LOCK"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::Exists);
  EXPECT_NE(second.error().message().find(std::to_string(::getpid())), std::string::npos);
  held->reset();
  EXPECT_TRUE(disk_->lock(path("LOCK")));
}

std::unique_ptr<File> created(SimDisk& disk, const std::string& path) {
  return std::move(*disk.open(path, Disk::Mode::Create));
}

TEST(SimDisk, CrashForgetsWhatWasNotSynced) {
  SimDisk disk;
  ASSERT_TRUE(disk.make_dir("/d"));
  auto file = created(disk, "/d/a");
  ASSERT_TRUE(file->write(0, base::as_bytes("one")));
  ASSERT_TRUE(file->sync_data());
  EXPECT_TRUE(disk.crash(disk.operations(), {})->files().empty()) << "the name was not synced";
  ASSERT_TRUE(disk.sync_dir("/d"));
  ASSERT_TRUE(file->write(0, base::as_bytes("two")));
  EXPECT_EQ(disk.undurable(disk.operations()), (std::vector<std::size_t>{3}));
  EXPECT_EQ(disk.crash(disk.operations(), {})->bytes("/d/a"), "one");
  EXPECT_EQ(disk.crash(disk.operations(), {{Fate::Kind::Kept}})->bytes("/d/a"), "two");
  EXPECT_EQ(disk.bytes("/d/a"), "two");
}

TEST(SimDisk, DeathOfTheProcessAloneKeepsWhatACrashMayTake) {
  SimDisk disk;
  auto file = created(disk, "/f");
  ASSERT_TRUE(disk.sync_dir(""));
  ASSERT_TRUE(file->write(0, base::as_bytes("old")));
  ASSERT_TRUE(file->sync_data());
  ASSERT_TRUE(file->write(0, base::as_bytes("new")));
  auto next = disk.without_process(disk.operations());
  EXPECT_EQ(next->bytes("/f"), "new");
  EXPECT_EQ(next->crash(next->operations(), {})->bytes("/f"), "old");
  ASSERT_TRUE((*next->open("/f", Disk::Mode::Write))->sync_data());
  EXPECT_EQ(next->crash(next->operations(), {})->bytes("/f"), "new");
}

TEST(SimDisk, TornWriteLeavesStaleOrZeroSectors) {
  SimDisk disk;
  auto file = created(disk, "a");
  ASSERT_TRUE(file->write(0, base::as_bytes("oooooo")));
  ASSERT_TRUE(file->sync_data());
  ASSERT_TRUE(disk.sync_dir(""));
  ASSERT_TRUE(file->write(0, base::as_bytes("nnnnnn")));
  const auto torn = [&](Fate fate) { return *disk.crash(disk.operations(), {fate})->bytes("a"); };
  EXPECT_EQ(torn({Fate::Kind::Head, 2}), "nnoooo");
  EXPECT_EQ(torn({Fate::Kind::Tail, 2}), "oonnnn");
  EXPECT_EQ(torn({Fate::Kind::Head, 2, 0, true}), std::string("nn\0\0\0\0", 6));
  EXPECT_EQ(torn({Fate::Kind::Sectors, 2, 0b101}), "nnoonn");
}

TEST(SimDisk, WritesBeforeAFailedSyncNeverBecomeDurable) {
  SimDisk disk;
  auto file = created(disk, "a");
  ASSERT_TRUE(disk.sync_dir(""));
  ASSERT_TRUE(file->write(0, base::as_bytes("one")));
  ASSERT_TRUE(file->sync_data());
  ASSERT_TRUE(file->write(0, base::as_bytes("two")));
  disk.fail_at(1, Code::Unavailable);
  EXPECT_EQ(file->sync_data().error().code(), Code::Unavailable);
  EXPECT_TRUE(file->sync_data()) << "the kernel claims success the second time";
  EXPECT_EQ(disk.crash(disk.operations(), {})->bytes("a"), "one");
}

TEST(SimDisk, RenameIsUndoneUnlessTheDirectoryWasSynced) {
  SimDisk disk;
  auto file = created(disk, "a");
  ASSERT_TRUE(disk.sync_dir(""));
  ASSERT_TRUE(disk.rename("a", "b"));
  EXPECT_EQ(disk.crash(disk.operations(), {})->files(), (std::vector<std::string>{"a"}));
  ASSERT_TRUE(disk.sync_dir(""));
  EXPECT_EQ(disk.crash(disk.operations(), {})->files(), (std::vector<std::string>{"b"}));
}

}  // namespace
}  // namespace infiniedge::runtime
