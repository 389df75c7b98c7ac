// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infiniedge::device::testing {

/// A folder that is gone at the end of the test.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// A program that a test started, with its output in a file; killed at the end of the test.
class Process {
 public:
  Process() = default;
  Process(const std::vector<std::string>& command, const std::filesystem::path& output);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  void kill(int signal);
  /// Exit status, or -1 for a signal.
  int wait();

 private:
  pid_t pid_ = -1;
};

/// Runs to the end and returns the exit status.
int run_program(const std::vector<std::string>& command, const std::filesystem::path& output);

/// A port that was free a moment ago on 127.0.0.1.
std::uint16_t free_port();
/// Waits until something listens there, at most ten seconds.
bool wait_for_port(std::uint16_t port);

}  // namespace infiniedge::device::testing
