// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/disk.hpp"

namespace infiniedge::runtime::testing {

/// A disk in memory that records what was done to it, and can show what a power cut at any
/// moment might have left behind.
///
/// Model:  what was written before a sync_data() of the file is durable. Of later writes any part
///         may be: none, all, some sectors, with the rest stale or zero. A name (create, rename,
///         unlink) is durable after sync_dir() of its directory; later changes may each be undone.
///         A failed sync_data() leaves the writes before it undurable for ever, as Linux does:
///         other readers see them, Mode::ReadDirect does not.
/// Thread: any; operations are serialised.
/// Owner:  a test.
class SimDisk final : public Disk {
 public:
  SimDisk();

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<void> sync_dir(const std::string& path) override;
  Result<Space> space(const std::string& path) override;
  Result<std::shared_ptr<const void>> lock(const std::string& path) override;

  // --- Crashes ------------------------------------------------------------------------------

  /// What becomes of one operation that was not yet durable.
  struct Fate {
    enum class Kind {
      Dropped,
      Kept,
      Head,    ///< Bytes before `cut` reached the medium.
      Tail,    ///< Bytes from `cut` on did.
      Sectors  ///< Sectors of `cut` bytes did where a bit of `pattern` (repeated) is set.
    };
    Kind kind = Kind::Dropped;
    std::uint64_t cut = 512;
    std::uint64_t pattern = 0;
    bool zero = false;  ///< What did not reach it reads as zeros, not as what was there before.
  };
  /// Operations that could be lost by a crash after the first `at` operations: their number and,
  /// for writes, their length (0: a name).
  std::vector<std::size_t> undurable(std::size_t at) const;
  /// The disk after such a crash; `fates` in the order of undurable(at), missing ones Dropped.
  /// Everything in it is durable and its record is empty.
  std::unique_ptr<SimDisk> crash(std::size_t at, const std::vector<Fate>& fates) const;
  /// The disk as the next process finds it when only the process died there: all that was written
  /// can be read, and what was not durable can still be lost to a crash.
  std::unique_ptr<SimDisk> without_process(std::size_t at) const;
  std::size_t operations() const;

  // --- Faults -------------------------------------------------------------------------------

  /// The `n`-th operation from now that changes or syncs something fails with `code`; 1 is the
  /// next. A write fails half done. `lasting`: all after it fail too.
  void fail_at(std::size_t n, Code code, bool lasting = false);
  void heal();
  /// Operations that fail_at() counts, so far.
  std::size_t fallible() const;
  void set_space(Space space);

  /// Bytes of a file as a reader sees them; nothing if there is no such file.
  std::optional<std::string> bytes(const std::string& path) const;
  /// Rot: turns one bit, durable or not. Requires: the file is long enough.
  void flip(const std::string& path, std::uint64_t bit);
  std::vector<std::string> files() const;

 private:
  friend class SimFile;
  using Inode = std::size_t;
  struct Write {
    Inode inode;
    std::uint64_t offset;
    std::string bytes;
    bool lost = false;  ///< A sync of it failed.
  };
  struct Truncate {
    Inode inode;
    std::uint64_t size;
  };
  struct Sync {
    Inode inode;
  };
  struct Name {  ///< Gives `to` to `inode` (or takes it away), and takes `from` away.
    std::string from, to;
    std::optional<Inode> inode;
  };
  struct SyncDir {
    std::string path;
  };
  using Operation = std::variant<Write, Truncate, Sync, Name, SyncDir>;
  struct Image {
    std::map<std::string, Inode> names;
    std::vector<std::string> contents;
  };

  static std::string directory(const std::string& path);
  static void apply(Image& image, const Operation& operation);
  static void apply(Image& image, const Write& write, const Fate& fate);
  std::string on_medium(Inode inode) const;
  std::vector<bool> durable(std::size_t at) const;
  std::optional<Error> injected(std::string_view what);
  Result<Inode> find(const std::string& path) const;
  Result<void> write(Inode inode, std::uint64_t offset, std::span<const std::byte> bytes);
  Result<void> sync(Inode inode);
  Result<void> truncate(Inode inode, std::uint64_t size);

  mutable std::mutex mutex_;
  Image start_, now_;
  std::vector<Operation> operations_;
  std::set<std::string> directories_, locked_;
  Space space_{std::uint64_t{1} << 40, std::uint64_t{1} << 40};
  std::size_t fallible_ = 0, fail_at_ = 0;
  Code fail_code_ = Code::Unavailable;
  bool lasting_ = false;
};

}  // namespace infiniedge::runtime::testing
