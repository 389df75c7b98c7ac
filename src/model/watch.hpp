// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "infiniedge/time.hpp"
#include "model/server.hpp"

namespace infiniedge::model {

/// Says that something below a folder may have changed.
///
/// Thread: the shard that made it, but look() is called on a worker, never beside wait().
/// Errors: wait() returns Cancelled, or Unavailable when the system cannot tell.
class ChangeNotice {
 public:
  virtual ~ChangeNotice() = default;
  /// Completes with the next change since the last call.
  virtual Task<Result<void>> wait() = 0;
  /// Finds folders that are new.
  virtual Result<void> look() = 0;
};

/// By inotify, over `root` and `depth` levels of folders below it.
std::unique_ptr<ChangeNotice> make_inotify(boost::asio::any_io_executor executor,
                                           std::filesystem::path root, int depth = 3);

/// Keeps a server at what its repository says: a new version, a changed file, a new or a removed
/// model. What fails to load is tried again when its files change again.
///
/// Flow:    repository -> [RepositoryWatch] -> Server
/// Thread:  the server's shard; folders are read on `workers`.
/// Owner:   app; close() before the server's.
class RepositoryWatch {
 public:
  struct Times {
    Micros quiet{Millis{500}};    ///< Without a change, before anything is loaded.
    Micros poll{Seconds{15}};     ///< For what no notice told of: network file systems.
    Micros longest{Seconds{10}};  ///< Of waiting for quiet.
  };

  RepositoryWatch(Server& server, Clock& clock, runtime::Workers& workers,
                  boost::asio::any_io_executor executor, std::unique_ptr<ChangeNotice> notice,
                  Times times);

  /// Takes what is there now as known: before the server's first loading, so that no change
  /// between the two is lost.
  Task<void> remember();
  /// Watches until close().
  void start() { scope_.spawn(run()); }
  Task<void> close() { return scope_.close(); }

 private:
  /// What a model's folder holds, by relative path: size, time and inode.
  using Contents = std::map<std::string, std::string>;
  using Snapshot = std::map<std::string, Contents>;

  Task<void> run();
  Task<void> wait_for_change();
  Task<bool> changed_within(Micros time);
  Task<void> compare();
  Task<Result<Snapshot>> scan();
  void give_up_notices(const Error& error);

  Server& server_;
  Clock& clock_;
  runtime::Workers& workers_;
  std::filesystem::path root_;
  std::unique_ptr<ChangeNotice> notice_;
  Times times_;
  Snapshot known_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::model
