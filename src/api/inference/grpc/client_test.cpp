// SPDX-License-Identifier: Apache-2.0
// The door against clients that we did not write: tests/peers/oip_grpc_client.py drives
// tritonclient and compares every answer with ONNX Runtime's own Python.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "api/inference/grpc/testing/live_grpc.hpp"

namespace infiniedge::api::inference::grpc {
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

bool has_grpcio() { return run(python() + " -c 'import tritonclient.grpc'").second == 0; }

TEST(GrpcClient, TritonclientAgreesWithOnnxRuntime) {
  if (!has_grpcio()) {
    GTEST_SKIP() << python() << " lacks tritonclient[grpc]; scripts/setup --test installs it";
  }
  model::testing::TempRepository repository;
  for (const auto* name : {"mlp", "add_sub", "identity_fp32", "identity_types", "slow", "sure"}) {
    repository.add(name, name);
  }
  repository.write("sure/labels.txt", "on\noff\n");
  testing::LiveGrpc server(repository.root());
  const auto [out, status] =
      run(python() + " " + INFINIEDGE_SOURCE_DIR + "/tests/peers/oip_grpc_client.py 127.0.0.1:" +
          std::to_string(server.port()) + " " + repository.root().string());
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
}

}  // namespace
}  // namespace infiniedge::api::inference::grpc
