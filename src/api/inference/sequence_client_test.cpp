// SPDX-License-Identifier: Apache-2.0
// Sequences, ensembles and cached answers against a client that we did not write:
// tests/peers/sequence_client.py drives tritonclient.
#include <gtest/gtest.h>

#include "api/inference/testing/live_server.hpp"
#include "api/inference/testing/peer.hpp"

namespace infiniedge::api::inference {
namespace {

constexpr auto kAccumulator = R"(
max_batch_size: 8
sequence_batching {
  max_sequence_idle_microseconds: 5000000
  STRATEGY
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] },
    { name: "END" control [ { kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ] } ] },
    { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } ] },
    { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] } ]
  state [ { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
})";

constexpr auto kEnsemble = R"(
platform: "ensemble"
max_batch_size: 8
input [ { name: "A" data_type: TYPE_INT32 dims: [ 16 ] },
        { name: "B" data_type: TYPE_INT32 dims: [ 16 ] } ]
output [ { name: "TWICE_A" data_type: TYPE_INT32 dims: [ 16 ] },
         { name: "TWICE_B" data_type: TYPE_INT32 dims: [ 16 ] } ]
ensemble_scheduling { step [
  { model_name: "add_sub" model_version: -1
    input_map { key: "INPUT0" value: "A" } input_map { key: "INPUT1" value: "B" }
    output_map { key: "OUTPUT0" value: "sum" } output_map { key: "OUTPUT1" value: "difference" } },
  { model_name: "add_sub" model_version: -1
    input_map { key: "INPUT0" value: "sum" } input_map { key: "INPUT1" value: "difference" }
    output_map { key: "OUTPUT0" value: "TWICE_A" } output_map { key: "OUTPUT1" value: "TWICE_B" } }
] })";

TEST(SequenceClient, TritonclientRunsSequencesAndEnsembles) {
  if (!std::filesystem::exists(testing::peer_python())) {
    GTEST_SKIP() << testing::peer_python()
                 << " is absent; scripts/setup --test installs tritonclient";
  }
  model::testing::TempRepository repository;
  const auto accumulator = [&](const std::string& name, const std::string& strategy) {
    std::string config = kAccumulator;
    repository.add(name, "accumulator");
    repository.write(name + "/config.pbtxt", config.replace(config.find("STRATEGY"), 8, strategy));
  };
  accumulator("simple_sequence", "direct { }");
  accumulator("oldest_sequence", "oldest { max_candidate_sequences: 4 }");
  repository.add("add_sub", "add_sub");
  repository.add("linear", "linear");
  repository.write("linear/model.yaml", "cache: {enabled: true, ttl: 60s}\n");
  repository.write("doubles/config.pbtxt", kEnsemble);
  testing::LiveServer server(repository.root());
  const auto [out, status] = testing::run_command(testing::peer_python().string() + " " +
                                                  testing::peer_script("sequence_client.py") +
                                                  " 127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
}

}  // namespace
}  // namespace infiniedge::api::inference
