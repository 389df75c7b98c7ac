// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::app::demo {

/// A child process that dies with us. Its standard error goes to a file.
///
/// Thread: the one that started it.
/// Errors: NotFound when the program is not there.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;  ///< Added to ours.
    std::string log;
  };

  static Result<Process> start(const Options& options);
  Process(Process&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  Process& operator=(Process&& other) noexcept;
  ~Process();

  bool running();
  void signal(int number) const;
  /// SIGTERM, then SIGKILL after five seconds.
  void stop();
  pid_t pid() const { return pid_; }

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

/// A port that nobody listens on now, at or after `from`; 0 if there is none.
int free_port(int from);

}  // namespace infiniedge::app::demo
