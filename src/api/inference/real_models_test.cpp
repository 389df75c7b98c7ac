// SPDX-License-Identifier: Apache-2.0
// Models that others made (voice activity, text in pictures, sentence embeddings): the door's
// answers against ONNX Runtime's own Python on the same file, by tests/peers/real_models.py.
#include <gtest/gtest.h>

#include "api/inference/testing/live_server.hpp"
#include "api/inference/testing/peer.hpp"

namespace infiniedge::api::inference {
namespace {

class RealModels : public ::testing::TestWithParam<const char*> {};

TEST_P(RealModels, AgreeWithOnnxRuntime) {
  const std::string name = GetParam();
  const auto file = std::filesystem::path{INFINIEDGE_DEPS_DIR} / "models" / (name + ".onnx");
  if (!std::filesystem::exists(testing::peer_python()) || !std::filesystem::exists(file)) {
    GTEST_SKIP() << file << " or the test peers are absent; scripts/setup --test fetches them";
  }
  model::testing::TempRepository repository;
  std::filesystem::create_directories(repository.root() / name / "1");
  std::filesystem::create_symlink(file, repository.root() / name / "1/model.onnx");
  testing::LiveServer server(repository.root());
  ASSERT_TRUE(server.load(name));
  const auto [out, status] = testing::run_command(
      testing::peer_python().string() + " " + testing::peer_script("real_models.py") +
      " 127.0.0.1:" + std::to_string(server.port()) + " " + name + " " + file.string());
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find(name + " agrees"), std::string::npos) << out;
}

INSTANTIATE_TEST_SUITE_P(, RealModels,
                         ::testing::Values("silero_vad", "text_direction", "text_detection",
                                           "minilm"),
                         [](const auto& info) { return std::string{info.param}; });

}  // namespace
}  // namespace infiniedge::api::inference
