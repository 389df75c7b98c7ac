// SPDX-License-Identifier: Apache-2.0
#include "model/ensemble.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using ::testing::HasSubstr;
using testing::TempRepository;
using testing::tensor_of;
using testing::values_of;

std::string io(const std::string& side, const std::string& name,
               const std::string& type = "TYPE_INT32") {
  return side + " { name: \"" + name + "\" data_type: " + type + " dims: [ 16 ] }\n";
}

std::string step(const std::string& model, const std::string& a, const std::string& b,
                 const std::string& sum, const std::string& difference) {
  const auto entry = [](const std::string& map, const std::string& key, const std::string& value) {
    return map + " { key: \"" + key + "\" value: \"" + value + "\" } ";
  };
  return "{ model_name: \"" + model + "\" model_version: -1 " + entry("input_map", "INPUT0", a) +
         entry("input_map", "INPUT1", b) + entry("output_map", "OUTPUT0", sum) +
         entry("output_map", "OUTPUT1", difference) + "}";
}

std::string ensemble(const std::string& steps, const std::string& outputs) {
  return "platform: \"ensemble\"\nmax_batch_size: 4\n" + io("input", "A") + io("input", "B") +
         outputs + "ensemble_scheduling { step [\n" + steps + " ] }\n";
}

/// A + B and A − B; then, of those, twice A and twice B.
std::string diamond() {
  return ensemble(step("left", "A", "B", "sum", "difference") + ",\n" +
                      step("right", "sum", "difference", "twice_a", "twice_b") + ",\n" +
                      step("left", "sum", "B", "a_2b", "just_a"),
                  io("output", "twice_a") + io("output", "twice_b") + io("output", "just_a"));
}

std::vector<std::int32_t> all(std::int32_t value) { return std::vector<std::int32_t>(16, value); }

InferRequest request(const std::string& model, std::int32_t a, std::int32_t b) {
  InferRequest out{.model = model, .inputs = {}};
  out.inputs.push_back(tensor_of<std::int32_t>("A", DataType::Int32, {1, 16}, all(a)));
  out.inputs.push_back(tensor_of<std::int32_t>("B", DataType::Int32, {1, 16}, all(b)));
  return out;
}

struct Ensembles {
  Ensembles() {
    repository.add("left", "add_sub");
    repository.add("right", "add_sub");
    bench.emplace(repository.root());
  }
  std::string load(const std::string& config) {
    repository.write("whole/config.pbtxt", config);
    const auto loaded = bench->run(bench->server.load("whole"));
    return loaded ? "loaded" : loaded.error().describe();
  }
  TempRepository repository;
  std::optional<Bench> bench;
};

TEST(Ensemble, FeedsStepsFromEachOther) {
  Ensembles models;
  ASSERT_EQ(models.load(diamond()), "loaded");  // With its models, which were not loaded.
  auto response = models.bench->run(models.bench->server.infer(request("whole", 5, 3)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  ASSERT_EQ(response->outputs.size(), 3U);
  EXPECT_EQ(response->outputs[0].name, "twice_a");
  EXPECT_EQ(values_of<std::int32_t>(response->outputs[0]), all(10));
  EXPECT_EQ(values_of<std::int32_t>(response->outputs[1]), all(6));
  EXPECT_EQ(values_of<std::int32_t>(response->outputs[2]), all(5));
  auto wanted = request("whole", 1, 1);
  wanted.outputs = {"just_a"};
  response = models.bench->run(models.bench->server.infer(std::move(wanted)));
  ASSERT_TRUE(response.has_value());
  ASSERT_EQ(response->outputs.size(), 1U);
  EXPECT_EQ(response->outputs[0].name, "just_a");
}

TEST(Ensemble, CountsItselfAndItsSteps) {
  Ensembles models;
  ASSERT_EQ(models.load(diamond()), "loaded");
  ASSERT_TRUE(models.bench->run(models.bench->server.infer(request("whole", 5, 3))));
  const auto& whole = (*models.bench->server.find("whole"))->statistics();
  EXPECT_EQ(whole.success.count, 1U);
  EXPECT_EQ(whole.inferences, 1U);
  EXPECT_EQ(whole.executions, 1U);
  EXPECT_EQ(whole.compute_infer.count, 1U);
  EXPECT_EQ((*models.bench->server.find("left"))->statistics().success.count, 2U);
  EXPECT_EQ((*models.bench->server.find("right"))->statistics().success.count, 1U);
}

TEST(Ensemble, SharesTheBytesOfItsTensors) {
  Ensembles models;
  ASSERT_EQ(models.load(ensemble(step("left", "A", "B", "sum", "difference"),
                                 io("output", "A") + io("output", "sum"))),
            "loaded");
  auto sent = request("whole", 5, 3);
  const auto* bytes = sent.inputs[0].data.data();
  auto response = models.bench->run(models.bench->server.infer(std::move(sent)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_EQ(response->outputs[0].data.data(), bytes);
}

TEST(Ensemble, MistakesAreLoadErrorsWithTheirPlace) {
  Ensembles models;
  const auto out = io("output", "sum");
  EXPECT_THAT(models.load(ensemble(step("left", "A", "C", "sum", "difference"), out)),
              HasSubstr("config.pbtxt:7:1: unknown tensor 'C'"));
  EXPECT_THAT(models.load(ensemble(step("left", "A", "back", "sum", "d") + ",\n" +
                                       step("right", "sum", "d", "back", "e"),
                                   out)),
              HasSubstr("config.pbtxt:7:1: a cycle: the step of 'left' waits for what it feeds"));
  EXPECT_THAT(models.load(ensemble(step("none", "A", "B", "sum", "difference"), out)),
              HasSubstr("config.pbtxt:7:1: the step needs model 'none', which is not ready"));
  EXPECT_THAT(models.load(ensemble(step("left", "A", "B", "sum", "sum"), out)),
              HasSubstr("'sum' is given already"));
  EXPECT_THAT(models.load(ensemble(step("left", "A", "B", "summ", "difference"), out)),
              HasSubstr("no step gives its output 'sum'; did you mean 'summ'?"));
  EXPECT_THAT(models.load(ensemble(step("left", "A", "B", "sum", "difference"),
                                   io("output", "sum", "TYPE_FP32"))),
              HasSubstr("output 'sum' is FP32 [-1,16], but its step gives INT32 [-1,16]"));
  auto wide = ensemble(step("left", "A", "B", "sum", "difference"), out);
  wide.replace(wide.find("max_batch_size: 4"), 17, "max_batch_size: 9");
  EXPECT_THAT(models.load(wide), HasSubstr("'left' takes batches up to 8, the ensemble up to 9"));
  EXPECT_THAT(models.load("platform: \"ensemble\"\n"), HasSubstr("go together"));
  models.repository.write("other/config.pbtxt",
                          ensemble(step("whole", "A", "B", "sum", "difference"), out));
  EXPECT_THAT(models.load(ensemble(step("other", "A", "B", "sum", "difference"), out)),
              HasSubstr("a cycle: ensemble 'whole' would consist of itself"));
}

TEST(Ensemble, IsReadyWhileItsModelsAre) {
  Ensembles models;
  ASSERT_EQ(models.load(diamond()), "loaded");
  ASSERT_TRUE(models.bench->run(models.bench->server.unload("right")));
  const auto found = models.bench->server.find("whole");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), Code::Unavailable);
  EXPECT_THAT(found.error().message(), HasSubstr("needs model 'right'"));
  auto index = models.bench->run(models.bench->server.index(true));
  ASSERT_TRUE(index.has_value());
  ASSERT_EQ(index->size(), 1U);
  EXPECT_EQ((*index)[0].name, "left");
  ASSERT_TRUE(models.bench->run(models.bench->server.load("right")));
  EXPECT_TRUE(models.bench->server.find("whole").has_value());
}

TEST(Ensemble, UnloadsWithWhatOnlyItUses) {
  Ensembles models;
  models.repository.write("other/config.pbtxt",
                          ensemble(step("left", "A", "B", "sum", "d"), io("output", "sum")));
  ASSERT_EQ(models.load(diamond()), "loaded");
  ASSERT_TRUE(models.bench->run(models.bench->server.load("other")));
  ASSERT_TRUE(models.bench->run(models.bench->server.unload_with_parts("whole")));
  EXPECT_FALSE(models.bench->server.find("right").has_value());
  EXPECT_TRUE(models.bench->server.find("left").has_value());
}

TEST(Ensemble, LoadAllNeedsNoOrder) {
  Ensembles models;
  models.repository.write("a_first/config.pbtxt", diamond());
  models.bench->run(models.bench->server.load_all());
  EXPECT_TRUE(models.bench->server.find("a_first").has_value());
}

TEST(Ensemble, DeadlineHoldsForEveryStep) {
  Ensembles models;
  ASSERT_EQ(models.load(diamond()), "loaded");
  auto late = request("whole", 1, 1);
  late.timeout = Micros{0};
  auto response = models.bench->run(models.bench->server.infer(std::move(late)));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code(), Code::Timeout);
  EXPECT_EQ((*models.bench->server.find("left"))->statistics().executions, 0U);
  EXPECT_EQ((*models.bench->server.find("whole"))->statistics().fail.count, 1U);
}

}  // namespace
}  // namespace infiniedge::model
