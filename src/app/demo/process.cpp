// SPDX-License-Identifier: Apache-2.0
#include "app/demo/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace infiniedge::app::demo {
namespace {

constexpr int kNotExecuted = 127;

/// Only async-signal-safe calls: it runs between fork and exec.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (log >= 0) {
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
  }
  execvpe(arguments[0], arguments, environment);
  _exit(kNotExecuted);
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text{*entry};
    if (!added.contains(text.substr(0, text.find('=')))) out.push_back(text);
  }
  for (const auto& [name, value] : added) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Process> Process::start(const Options& options) {
  auto words = options.command;
  auto variables = merged_environment(options.environment);
  const auto arguments = pointers(words);
  const auto environment = pointers(variables);
  const int log = options.log.empty()
                      ? -1
                      : open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t pid = fork();
  if (pid == 0) become(arguments.data(), environment.data(), log);
  if (log >= 0) close(log);
  if (pid < 0) return Error{Code::Exhausted, "no more processes can be started"};
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  int status = 0;
  if (waitpid(pid, &status, WNOHANG) == pid && WIFEXITED(status) &&
      WEXITSTATUS(status) == kNotExecuted) {
    return Error{Code::NotFound, fmt::format("{} is not installed: run scripts/setup", words[0])};
  }
  return Process(pid);
}

Process& Process::operator=(Process&& other) noexcept {
  stop();
  pid_ = other.pid_;
  other.pid_ = -1;
  return *this;
}

Process::~Process() { stop(); }

bool Process::running() {
  if (pid_ < 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void Process::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

void Process::stop() {
  if (pid_ < 0) return;
  signal(SIGTERM);
  for (int i = 0; i < 500 && running(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (pid_ < 0) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int free_port(int from) {
  for (int port = from; port < from + 1000; ++port) {
    const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;
    setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free =
        bind(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    close(socket_fd);
    if (free) return port;
  }
  return 0;
}

}  // namespace infiniedge::app::demo
