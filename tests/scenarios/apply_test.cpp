// SPDX-License-Identifier: Apache-2.0
// The guide's way of working: up -f, edit, apply -f, restart; and what must be refused.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "app/demo/process.hpp"

namespace infiniedge::tests {
namespace {

namespace fs = std::filesystem;
using app::demo::Process;

class Apply : public testing::Test {
 protected:
  Apply() {
    std::string pattern = (fs::temp_directory_path() / "infiniedge-apply-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~Apply() override {
    node_.reset();
    std::error_code error;
    fs::remove_all(dir_, error);
  }

  void write(const std::string& name, const std::string& every) {
    std::ofstream(dir_ + "/" + name)
        << "infiniedge: v1\ndevices:\n  pump-7:\n    connector: modbus\n"
           "    address: tcp://127.0.0.1:1\n    every: "
        << every << "\n    points: [{name: x, address: \"ir:0\"}]\n";
  }
  void up(const std::vector<std::string>& more) {
    std::vector<std::string> command{INFINIEDGE_BINARY, "up",           "--http",
                                     "127.0.0.1:0",     "--data",       dir_ + "/data",
                                     "--ready-file",    dir_ + "/ready"};
    command.insert(command.end(), more.begin(), more.end());
    fs::remove(dir_ + "/ready");
    auto started = Process::start(
        {.command = command,
         .environment = {{"RUNTIME_DIRECTORY", dir_}, {"CONFIGURATION_DIRECTORY", dir_}},
         .log = dir_ + "/log"});
    ASSERT_TRUE(started.has_value());
    node_.emplace(std::move(*started));
    for (int i = 0; i < 2000 && !fs::exists(dir_ + "/ready"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(fs::exists(dir_ + "/ready"));
  }
  /// Runs a command against the node; returns its exit code, `out_` is what it printed.
  int command(const std::string& arguments) {
    const auto line = fmt::format("{} {} --node unix:{}/node.sock > {}/out 2>&1", INFINIEDGE_BINARY,
                                  arguments, dir_, dir_);
    const int status = std::system(line.c_str());
    std::ifstream file(dir_ + "/out");
    out_.assign(std::istreambuf_iterator<char>(file), {});
    return WEXITSTATUS(status);
  }
  bool every_is(const std::string& value) {
    return command("get device/pump-7 -o json") == 0 &&
           out_.find("\"every\":\"" + value + "\"") != std::string::npos;
  }

  std::string dir_, out_;
  std::optional<Process> node_;
};

TEST_F(Apply, TheSamePathChangesWhatTheNodeReadThereAndSurvivesARestart) {
  write("site.yaml", "1s");
  up({"-f", dir_ + "/site.yaml"});
  EXPECT_TRUE(every_is("1s")) << out_;
  write("site.yaml", "2s");
  EXPECT_EQ(command("apply --dry-run -f " + dir_ + "/site.yaml"), 1) << out_;
  EXPECT_TRUE(every_is("1s"));
  EXPECT_EQ(command("apply -f " + dir_ + "/site.yaml"), 0) << out_;
  EXPECT_TRUE(every_is("2s")) << out_;
  node_->signal(SIGKILL);
  while (node_->running()) std::this_thread::yield();
  up({});
  EXPECT_TRUE(every_is("2s")) << out_;
}

TEST_F(Apply, AnotherPathMayNotChangeIt) {
  write("site.yaml", "1s");
  write("other.yaml", "5s");
  up({"-f", dir_ + "/site.yaml"});
  EXPECT_EQ(command("apply -f " + dir_ + "/other.yaml"), 78) << out_;
  EXPECT_NE(out_.find("managed by"), std::string::npos) << out_;
  EXPECT_TRUE(every_is("1s"));
}

TEST_F(Apply, AFileWithAMistakeChangesNothing) {
  write("site.yaml", "1s");
  up({"-f", dir_ + "/site.yaml"});
  write("site.yaml", "250");
  EXPECT_EQ(command("apply -f " + dir_ + "/site.yaml"), 78);
  EXPECT_NE(out_.find("did you mean \"250s\""), std::string::npos) << out_;
  EXPECT_TRUE(every_is("1s"));
}

TEST_F(Apply, ASecondProcessOnTheSameDataIsRefused) {
  write("site.yaml", "1s");
  up({"-f", dir_ + "/site.yaml"});
  EXPECT_EQ(command(fmt::format("up --http 127.0.0.1:0 --data {}/data", dir_)), 73) << out_;
}

}  // namespace
}  // namespace infiniedge::tests
