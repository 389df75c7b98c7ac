// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>

namespace infiniedge::api::inference::testing {

/// A shared-memory object as a client makes it, removed at the end.
class ClientObject {
 public:
  explicit ClientObject(std::size_t size) {
    static std::atomic<int> next{0};
    key_ = fmt::format("/infiniedge-test-{}-{}", ::getpid(), next++);
    file_ = ::shm_open(key_.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
    resize(size);
  }
  ~ClientObject() {
    ::close(file_);
    ::shm_unlink(key_.c_str());
  }
  ClientObject(const ClientObject&) = delete;
  ClientObject& operator=(const ClientObject&) = delete;

  const std::string& key() const { return key_; }
  void resize(std::size_t size) { resized_ = ::ftruncate(file_, static_cast<off_t>(size)) == 0; }
  bool good() const { return file_ >= 0 && resized_; }
  bool put(std::size_t at, const std::string& bytes) {
    return ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(bytes.size());
  }
  std::string get(std::size_t at, std::size_t size) {
    std::string out(size, '\0');
    const auto got = ::pread(file_, out.data(), size, static_cast<off_t>(at));
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }

 private:
  std::string key_;
  int file_ = -1;
  bool resized_ = false;
};

}  // namespace infiniedge::api::inference::testing
