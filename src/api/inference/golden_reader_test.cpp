// SPDX-License-Identifier: Apache-2.0
// Golden cases as the door reads them, with the real runtime.
#include "api/inference/golden_reader.hpp"

#include "api/inference/testing/door_fixture.hpp"

namespace infiniedge::api::inference {
namespace {

using ::testing::HasSubstr;
using testing::TempRepository;

constexpr auto kRequest =
    R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1,2]]}]})";

std::string answer_of(const std::string& value) {
  return R"({"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"FP32",)"
         R"("shape":[1,1],"data":[)" +
         value + "]}]}";
}

struct GoldenTest : ::testing::Test {
  TempRepository repository;
  testing::Bench bench{
      model::Server::Options{.repository = repository.root(), .golden = read_golden}};

  void write(const std::string& request, const std::string& response) {
    repository.write("m/golden/a.request.json", request);
    repository.write("m/golden/a.response.json", response);
  }
  /// Why loading m fails; empty if it does not.
  std::string load() {
    auto loaded = bench.run(bench.server.load("m"));
    return loaded ? std::string{} : loaded.error().describe();
  }
};

TEST_F(GoldenTest, AModelThatAnswersAsItsCasesSayIsServed) {
  repository.add("m", "linear");
  repository.write("m/model.yaml", "golden: {tolerance: 1e-3}\n");
  write(kRequest, answer_of("8.005"));
  EXPECT_EQ(load(), "");
}

TEST_F(GoldenTest, AFailingCaseLeavesTheOldServingAndStandsInTheIndex) {
  repository.add("m", "linear");
  write(kRequest, answer_of("8"));
  ASSERT_EQ(load(), "");
  repository.add("m", "opposite", 2);
  EXPECT_THAT(load(), HasSubstr("golden case 'a'"));
  EXPECT_EQ((*bench.server.find("m"))->version(), 1);
  const auto index = bench.run(bench.server.index(false));
  ASSERT_TRUE(index.has_value());
  ASSERT_EQ(index->size(), 2U);
  EXPECT_EQ((*index)[0].state, model::State::Ready);
  EXPECT_EQ((*index)[1].state, model::State::Unavailable);
  EXPECT_THAT((*index)[1].reason, HasSubstr("golden case 'a'"));
}

TEST_F(GoldenTest, WhatCannotBeReadSaysWhere) {
  repository.add("m", "linear");
  write("{", answer_of("8"));
  EXPECT_THAT(load(), HasSubstr("golden case 'a' cannot be read: the request file"));
  write(kRequest, "{}");
  EXPECT_THAT(load(), HasSubstr("the response file: request: 'outputs' is missing"));
  write(kRequest, answer_of("8,9"));
  EXPECT_THAT(load(), HasSubstr("outputs[0].data"));
  write(kRequest, R"({"outputs":[{"name":"y","datatype":"FP32","shape":[1,1],)"
                  R"("parameters":{"binary_data_size":0}}]})");
  EXPECT_THAT(load(), HasSubstr("outputs[0]: its values must stand in `data`"));
  write(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":)"
        R"({"shared_memory_region":"r","shared_memory_byte_size":8}}]})",
        answer_of("8"));
  EXPECT_THAT(load(), HasSubstr("shared memory"));
  write(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":)"
        R"([{"name":"y","parameters":{"classification":1}}]})",
        answer_of("8"));
  EXPECT_THAT(load(), HasSubstr("classification"));
}

}  // namespace
}  // namespace infiniedge::api::inference
