// SPDX-License-Identifier: Apache-2.0
#include "app/node/trial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

namespace infiniedge::app {
namespace {

constexpr Micros kLimit = Seconds{60};
constexpr int kLookEveryMs = 20;
constexpr std::size_t kMaxSaid = 8192;
constexpr std::string_view kPrefix = "infiniedge: ";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  void reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

struct Ending {
  int status = EX_SOFTWARE << 8;
  bool late = false;
  std::string said;
};

Error not_started(int error) {
  return {Code::Exhausted,
          fmt::format("no process can be started to try the model in ({}); free memory or raise "
                      "the limit of processes",
                      std::generic_category().message(error))};
}

/// A file in memory, at its beginning; -1 if there is no room.
int file_of(const std::string& text) {
  const int file = ::memfd_create("infiniedge-input", MFD_CLOEXEC);
  std::size_t done = 0;
  while (file >= 0 && done < text.size()) {
    const auto wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0) {
      ::close(file);
      return -1;
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (file >= 0) ::lseek(file, 0, SEEK_SET);
  return file;
}

Result<pid_t> start(std::vector<std::string> command, int input, int errors) {
  std::vector<char*> words;
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, words[0], &files, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return not_started(error);
  return pid;
}

/// Keeps the end of what it says: the error comes last. False: it will say no more.
bool listen(int pipe, std::string& said) {
  char buffer[4096];
  while (true) {
    const auto got = ::read(pipe, buffer, sizeof(buffer));
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    said.append(buffer, static_cast<std::size_t>(got));
    if (said.size() > kMaxSaid) said.erase(0, said.size() - kMaxSaid);
  }
}

Ending wait_for(pid_t pid, int pipe, Micros limit) {
  Ending out;
  const auto end = std::chrono::steady_clock::now() + limit;
  int open = pipe;
  while (::waitpid(pid, &out.status, WNOHANG) == 0) {
    if (!out.late && std::chrono::steady_clock::now() > end) {
      out.late = true;
      ::kill(pid, SIGKILL);
    }
    pollfd look{open, POLLIN, 0};  // A negative descriptor only waits.
    if (::poll(&look, 1, kLookEveryMs) > 0 && !listen(pipe, out.said)) open = -1;
  }
  listen(pipe, out.said);
  return out;
}

Code code_of(int exit_status) {
  if (exit_status == EX_SOFTWARE) return Code::Internal;
  if (exit_status == EX_TEMPFAIL) return Code::Exhausted;
  if (exit_status == EX_NOINPUT) return Code::NotFound;
  return exit_status == EX_IOERR ? Code::Corrupt : Code::Invalid;
}

/// The last error in the form of this program; else everything.
std::string error_in(std::string said) {
  const auto at = said.rfind(kPrefix);
  if (at != std::string::npos) said.erase(0, at + kPrefix.size());
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said;
}

}  // namespace

Result<void> run_apart(const std::vector<std::string>& command, const std::string& input,
                       Micros limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return not_started(errno);
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  const Descriptor given(file_of(input));
  if (given.get() < 0) return not_started(errno);
  const auto pid = start(command, given.get(), writer.get());
  if (!pid) return pid.error();
  writer.reset();
  auto ending = wait_for(*pid, reader.get(), limit);
  if (ending.late) {
    return Error{Code::Timeout, fmt::format("the runtime had not loaded it after {} s",
                                            std::chrono::duration_cast<Seconds>(limit).count())};
  }
  if (WIFSIGNALED(ending.status)) {
    return Error{Code::Corrupt, fmt::format("the runtime crashed while loading (signal {})",
                                            WTERMSIG(ending.status))};
  }
  const int status = WEXITSTATUS(ending.status);
  if (status == 0) return {};
  auto text = error_in(std::move(ending.said));
  if (text.empty()) text = fmt::format("the process that tried it ended with status {}", status);
  return Error{code_of(status), std::move(text)};
}

Result<model::TrialReport> ProcessTrial::run(const model::ModelDefinition& definition) {
  std::vector<std::string> command{"/proc/self/exe", "model", "check", "--name",
                                   definition.config.name};
  if (!plugins_.empty()) command.insert(command.end(), {"--plugins", plugins_});
  if (definition.config_json) command.insert(command.end(), {"--config", "-"});
  command.emplace_back("--");
  const auto input = definition.config_json.value_or("");
  if (!definition.folder.empty()) {
    command.push_back(definition.folder.string());
    INFINIEDGE_TRY(run_apart(command, input, kLimit));
    return model::TrialReport{};
  }
  for (const auto& [version, file] : definition.files) {
    auto with_file = command;
    with_file.push_back(file.string());
    INFINIEDGE_TRY(run_apart(with_file, input, kLimit));
  }
  return model::TrialReport{};
}

}  // namespace infiniedge::app
