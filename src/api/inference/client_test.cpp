// SPDX-License-Identifier: Apache-2.0
// The door against a client that we did not write: tests/peers/oip_client.py drives tritonclient
// and compares every answer with ONNX Runtime's own Python.
#include <gtest/gtest.h>

#include "api/inference/testing/live_server.hpp"
#include "api/inference/testing/peer.hpp"

namespace infiniedge::api::inference {
namespace {

TEST(Client, TritonclientAgreesWithOnnxRuntime) {
  if (!std::filesystem::exists(testing::peer_python())) {
    GTEST_SKIP() << testing::peer_python()
                 << " is absent; scripts/setup --test installs tritonclient";
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
  const auto [out, status] = testing::run_command(
      testing::peer_python().string() + " " + testing::peer_script("oip_client.py") +
      " 127.0.0.1:" + std::to_string(server.port()) + " " + repository.root().string());
  EXPECT_EQ(status, 0) << out;
  if (std::filesystem::exists(story / "student.onnx")) {
    EXPECT_NE(out.find("the appliance student agrees"), std::string::npos) << out;
  }
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
}

}  // namespace
}  // namespace infiniedge::api::inference
