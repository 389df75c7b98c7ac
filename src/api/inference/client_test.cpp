// SPDX-License-Identifier: Apache-2.0
// The door against a client that we did not write: tests/peers/oip_client.py drives tritonclient
// and compares every answer with ONNX Runtime's own Python.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "api/inference/testing/live_server.hpp"

namespace infiniedge::api::inference {
namespace {

std::string python() { return std::string{INFINIEDGE_DEPS_DIR} + "/peers/bin/python"; }

/// Output of a command, and its exit status.
std::pair<std::string, int> run(const std::string& command) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"cannot start " + command, -1};
  std::array<char, 4096> piece;
  while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe))
    out.append(piece.data(), n);
  return {out, pclose(pipe)};
}

TEST(Client, TritonclientAgreesWithOnnxRuntime) {
  if (!std::filesystem::exists(python())) {
    GTEST_SKIP() << python() << " is absent; scripts/setup --test installs tritonclient";
  }
  model::testing::TempRepository repository;
  for (const auto* name : {"mlp", "add_sub", "identity_string", "identity_types", "sure"}) {
    repository.add(name, name);
  }
  repository.write("sure/labels.txt", "on\noff\n");
  const auto story = std::filesystem::path(INFINIEDGE_SOURCE_DIR) / "examples/appliances";
  if (std::filesystem::exists(story / "student.onnx")) {
    std::filesystem::create_directories(repository.root() / "student/1");
    std::filesystem::copy_file(story / "student.onnx", repository.root() / "student/1/model.onnx");
  }
  testing::LiveServer server(repository.root());
  ASSERT_TRUE(server.load("sure"));
  const auto [out, status] =
      run(python() + " " + INFINIEDGE_SOURCE_DIR + "/tests/peers/oip_client.py 127.0.0.1:" +
          std::to_string(server.port()) + " " + repository.root().string());
  EXPECT_EQ(status, 0) << out;
  if (std::filesystem::exists(story / "student.onnx")) {
    EXPECT_NE(out.find("the appliance student agrees"), std::string::npos) << out;
  }
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
}

}  // namespace
}  // namespace infiniedge::api::inference
