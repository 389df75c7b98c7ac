// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/disk.hpp"

namespace infiniedge::runtime {
namespace {

constexpr std::size_t kDirectAlign = 4096;
constexpr std::size_t kDirectChunk = std::size_t{1} << 20;

Error os_error(std::string_view what, const std::string& path, int number = errno) {
  const auto code = [number] {
    switch (number) {
      case ENOSPC:
      case EDQUOT:
      case EMFILE:
      case ENFILE:
        return Code::Exhausted;
      case ENOENT:
      case ENOTDIR:
        return Code::NotFound;
      case EEXIST:
        return Code::Exists;
      case EACCES:
      case EPERM:
      case EROFS:
        return Code::Denied;
      default:
        return Code::Unavailable;
    }
  }();
  return {code, fmt::format("cannot {} {}: {}", what, path, std::strerror(number))};
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

int open_retrying(const std::string& path, int flags) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("write", path_);
      offset += static_cast<std::uint64_t>(n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<void> sync_data() override {
    // Not retried on EINTR either: whether the pages are still dirty is unknown then.
    if (::fdatasync(fd_.get()) != 0) return os_error("sync", path_);
    return {};
  }

  // fallocate would reserve unwritten extents, and each first write into one then changes the
  // file's metadata: zeros written once make the later overwrites cost the data alone.
  Result<void> allocate(std::uint64_t size) override {
    auto from = this->size();
    if (!from) return std::move(from).error();
    static const std::vector<std::byte> zeros(std::size_t{1} << 20);
    for (std::uint64_t offset = *from; offset < size;) {
      const std::size_t n = std::min<std::uint64_t>(zeros.size(), size - offset);
      INFINIEDGE_TRY(write(offset, std::span(zeros).first(n)));
      offset += n;
    }
    return {};
  }

  Result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return os_error("truncate", path_);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return os_error("examine", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

 protected:
  Descriptor fd_;
  std::string path_;
};

/// Reads through an aligned buffer of its own, as O_DIRECT demands.
class DirectFile final : public File {
 public:
  DirectFile(Descriptor fd, std::string path)
      : file_(std::move(fd), std::move(path)),
        buffer_(static_cast<std::byte*>(std::aligned_alloc(kDirectAlign, kDirectChunk))) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::uint64_t at = offset + done;
      const std::uint64_t start = at / kDirectAlign * kDirectAlign;
      const std::uint64_t end =
          std::min(start + kDirectChunk,
                   (offset + out.size() + kDirectAlign - 1) / kDirectAlign * kDirectAlign);
      auto n = file_.read(start, std::span(buffer_.get(), end - start));
      if (!n) return n;
      if (start + *n <= at) break;
      const std::size_t usable = std::min<std::size_t>(start + *n - at, out.size() - done);
      std::memcpy(out.data() + done, buffer_.get() + (at - start), usable);
      done += usable;
    }
    return done;
  }
  Result<void> write(std::uint64_t, std::span<const std::byte>) override { return read_only(); }
  Result<void> sync_data() override { return read_only(); }
  Result<void> allocate(std::uint64_t) override { return read_only(); }
  Result<void> truncate(std::uint64_t) override { return read_only(); }
  Result<std::uint64_t> size() override { return file_.size(); }

 private:
  static Error read_only() { return {Code::Denied, "the file was opened for reading only"}; }
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  PosixFile file_;
  std::unique_ptr<std::byte, Free> buffer_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) override {
    if (mode == Mode::ReadDirect) return open_direct(path);
    const int flags = mode == Mode::Read    ? O_RDONLY
                      : mode == Mode::Write ? O_RDWR
                                            : O_RDWR | O_CREAT | O_EXCL;
    Descriptor fd(open_retrying(path, flags));
    if (!fd.good()) return os_error(mode == Mode::Create ? "create" : "open", path);
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return os_error("rename", from);
    return {};
  }
  Result<void> unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return os_error("delete", path);
    return {};
  }

  Result<void> make_dir(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return os_error("create the directory", path, error.value());
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return os_error("list", path, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> sync_dir(const std::string& path) override {
    Descriptor fd(open_retrying(path, O_RDONLY | O_DIRECTORY));
    if (!fd.good()) return os_error("open the directory", path);
    if (::fsync(fd.get()) != 0) return os_error("sync the directory", path);
    return {};
  }

  Result<Space> space(const std::string& path) override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return os_error("ask the free space of", path);
    return Space{.total = std::uint64_t{status.f_blocks} * status.f_frsize,
                 .available = std::uint64_t{status.f_bavail} * status.f_frsize};
  }

  Result<std::shared_ptr<const void>> lock(const std::string& path) override {
    auto fd = std::make_shared<Descriptor>(open_retrying(path, O_RDWR | O_CREAT));
    if (!fd->good()) return os_error("open", path);
    if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return os_error("lock", path);
      char pid[32] = {};
      if (::pread(fd->get(), pid, sizeof pid - 1, 0) <= 0) std::strcpy(pid, "unknown");
      return Error{Code::Exists, fmt::format("{} is held by process {}; stop it or use another "
                                             "directory",
                                             path, pid)};
    }
    const std::string pid = std::to_string(::getpid());
    const bool written =
        ::ftruncate(fd->get(), 0) == 0 && ::pwrite(fd->get(), pid.data(), pid.size(), 0) > 0;
    if (!written && errno != ENOSPC && errno != EDQUOT) return os_error("write", path);
    return std::shared_ptr<const void>(std::move(fd));
  }

 private:
  static Result<std::unique_ptr<File>> open_direct(const std::string& path) {
    Descriptor direct(open_retrying(path, O_RDONLY | O_DIRECT));
    if (direct.good()) return std::make_unique<DirectFile>(std::move(direct), path);
    if (errno != EINVAL) return os_error("open", path);
    // tmpfs and some network file systems: drop what the cache holds of the file instead.
    Descriptor fd(open_retrying(path, O_RDONLY));
    if (!fd.good()) return os_error("open", path);
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return std::make_unique<PosixFile>(std::move(fd), path);
  }
};

}  // namespace

std::unique_ptr<Disk> make_posix_disk() { return std::make_unique<PosixDisk>(); }

}  // namespace infiniedge::runtime
