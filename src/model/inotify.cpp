// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "model/watch.hpp"

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MODIFY |
                                  IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF;

class Inotify final : public ChangeNotice {
 public:
  Inotify(boost::asio::any_io_executor executor, fs::path root, int depth)
      : root_(std::move(root)), depth_(depth), stream_(std::move(executor)) {
    fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd_ >= 0) stream_.assign(fd_);
  }

  Task<Result<void>> wait() override {
    if (fd_ < 0) co_return Error{Code::Unavailable, "this system gives no file notices"};
    // What the events say does not matter: the folders are read.
    const auto room = boost::asio::buffer(events_);
    const auto [error, bytes] =
        co_await stream_.async_read_some(room, boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!error) co_return Result<void>{};
    const bool ended = error == boost::asio::error::operation_aborted;
    co_return Error{ended ? Code::Cancelled : Code::Unavailable, error.message()};
  }

  Result<void> look() override {
    INFINIEDGE_TRY(add(root_));
    std::error_code error;
    fs::recursive_directory_iterator it(root_, error), end;
    while (!error && it != end) {
      if (it.depth() + 1 >= depth_) it.disable_recursion_pending();
      std::error_code ignored;
      if (it->is_directory(ignored)) INFINIEDGE_TRY(add(it->path()));
      it.increment(error);
    }
    return {};
  }

 private:
  /// Of a folder that is watched already it changes nothing.
  Result<void> add(const fs::path& folder) {
    if (fd_ >= 0 && ::inotify_add_watch(fd_, folder.c_str(), kEvents) >= 0) return {};
    if (fd_ >= 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return {};
    return Error{Code::Unavailable,
                 fmt::format("{} cannot be watched: {}; raise fs.inotify.max_user_watches",
                             folder.string(), std::strerror(errno))};
  }

  fs::path root_;
  int depth_;
  int fd_ = -1;
  std::array<char, 16384> events_{};
  boost::asio::posix::stream_descriptor stream_;
};

}  // namespace

std::unique_ptr<ChangeNotice> make_inotify(boost::asio::any_io_executor executor, fs::path root,
                                           int depth) {
  return std::make_unique<Inotify>(std::move(executor), std::move(root), depth);
}

}  // namespace infiniedge::model
