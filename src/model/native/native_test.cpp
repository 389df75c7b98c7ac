// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "model/native/backend.hpp"
#include "model/native/reader.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using native::read_model;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

/// A document with two features and `values` outputs around `kind`.
std::string document(const std::string& kind, int values = 1) {
  return R"({"format":"infiniedge-native/1","input":{"name":"x","features":2},)"
         R"("output":{"name":"y","values":)" +
         std::to_string(values) + "}," + kind + "}";
}

std::vector<float> evaluate(const std::string& json, std::vector<float> row) {
  const auto model = read_model(json);
  EXPECT_TRUE(model.has_value()) << model.error().message();
  if (!model) return {};
  auto scratch = model->make_scratch();
  std::copy(row.begin(), row.end(), scratch.row.begin());
  std::vector<float> out(model->values);
  model->evaluate(scratch, out.data());
  return out;
}

std::string refusal(const std::string& json) {
  const auto model = read_model(json);
  if (model) return "accepted";
  EXPECT_EQ(model.error().code(), Code::Invalid);
  return model.error().message();
}

constexpr auto kNan = std::numeric_limits<float>::quiet_NaN();

TEST(NativeModel, LinearModelsAddTheirBias) {
  const auto json = document(R"("layers":[{"weights":[[2,3]],"bias":[1]}])");
  EXPECT_THAT(evaluate(json, {10, 100}), ElementsAre(321));
}

TEST(NativeModel, FeaturesAreStandardisedFirst) {
  const auto json =
      document(R"("layers":[{"weights":[[2,3]]}],"standardise":{"mean":[10,1],"scale":[2,0.5]})");
  EXPECT_THAT(evaluate(json, {14, 2}), ElementsAre(2 * 2 + 3 * 2));
}

TEST(NativeModel, LogisticModelsGiveProbabilities) {
  const auto json = document(R"("layers":[{"weights":[[1,1]],"activation":"sigmoid"}])");
  EXPECT_THAT(evaluate(json, {0, 0}), ElementsAre(0.5F));
  EXPECT_THAT(evaluate(json, {std::log(3.0F), 0}), ElementsAre(FloatNear(0.75F, 1e-6F)));
  EXPECT_THAT(evaluate(json, {-1000, 0}), ElementsAre(0.0F));
}

TEST(NativeModel, NetworksGoLayerByLayer) {
  const auto json =
      document(R"("layers":[{"weights":[[1,0],[0,1],[-1,-1]],"bias":[0,0,1],"activation":"relu"},)"
               R"({"weights":[[1,1,0],[0,0,2]],"activation":"softmax"}])",
               2);
  // Hidden: 1, 0 (−2 cut), 2. Logits: 1, 4.
  const auto e = std::exp(3.0F);
  EXPECT_THAT(evaluate(json, {1, -2}),
              Pointwise(FloatNear(1e-6F), std::vector{1 / (1 + e), e / (1 + e)}));
  const auto tanh = document(R"("layers":[{"weights":[[1,0]],"activation":"tanh"}])");
  EXPECT_THAT(evaluate(tanh, {0.5F, 9}), ElementsAre(FloatNear(0.462117F, 1e-6F)));
}

const auto kTree = R"({"nodes":[{"feature":0,"threshold":0.5,"left":1,"right":2,"missing":"left"},)"
                   R"({"value":[1,0]},{"feature":1,"threshold":-1.5,"left":3,"right":4},)"
                   R"({"value":[0,1]},{"value":[0.25,0.75]}]})";
const auto kStump = R"({"nodes":[{"value":[0.5,0.5]}]})";

TEST(NativeModel, TreesGoLeftUpToTheThreshold) {
  const auto json =
      document(std::string(R"("forest":{"combine":"sum","trees":[)") + kTree + "]}", 2);
  EXPECT_THAT(evaluate(json, {0.5F, 0}), ElementsAre(1, 0));
  EXPECT_THAT(evaluate(json, {0.51F, -1.5F}), ElementsAre(0, 1));
  EXPECT_THAT(evaluate(json, {9, 0}), ElementsAre(0.25F, 0.75F));
  EXPECT_THAT(evaluate(json, {kNan, 0}), ElementsAre(1, 0));
  EXPECT_THAT(evaluate(json, {9, kNan}), ElementsAre(0.25F, 0.75F));
}

TEST(NativeModel, ForestsAreMeansOrSums) {
  const auto trees = std::string(kTree) + "," + kStump;
  const auto mean = document(R"("forest":{"combine":"mean","trees":[)" + trees + "]}", 2);
  EXPECT_THAT(evaluate(mean, {0, 0}), ElementsAre(0.75F, 0.25F));
  const auto sum =
      document(R"("forest":{"combine":"sum","base":[10,20],"trees":[)" + trees + "]}", 2);
  EXPECT_THAT(evaluate(sum, {0, 0}), ElementsAre(11.5F, 20.5F));
}

TEST(NativeModel, TheFirstRuleThatHoldsDecides) {
  const auto json = document(
      R"("thresholds":{"rules":[{"when":[{"feature":0,"above":80},{"feature":1,"at_most":3}],)"
      R"("value":[2]},{"when":[{"feature":0,"at_least":60}],"value":[1]},)"
      R"({"when":[{"feature":0,"below":-5}],"value":[-1]}],"otherwise":[0]})");
  EXPECT_THAT(evaluate(json, {81, 3}), ElementsAre(2));
  EXPECT_THAT(evaluate(json, {81, 4}), ElementsAre(1));
  EXPECT_THAT(evaluate(json, {60, 0}), ElementsAre(1));
  EXPECT_THAT(evaluate(json, {-6, 0}), ElementsAre(-1));
  EXPECT_THAT(evaluate(json, {-5, 0}), ElementsAre(0));
  EXPECT_THAT(evaluate(json, {kNan, 0}), ElementsAre(0));
}

TEST(NativeReader, NamesThePlaceOfTheMistake) {
  EXPECT_THAT(refusal("{"), ::testing::HasSubstr("$: not JSON"));
  EXPECT_EQ(refusal("[]"), "$: takes an object, {…}");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,2],[3]]}])")),
            "$.layers[0].weights[1]: takes 2 items, not 1");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,"2"]]}])")),
            "$.layers[0].weights[0][1]: takes a number");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,1e39]]}])")),
            "$.layers[0].weights[0][1]: 1e+39 does not fit a 32-bit float");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,2]],"bias":[1,2]}])")),
            "$.layers[0]: 'bias' has 2 numbers and 'weights' 1 rows; there is one of each for an "
            "output");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,2]],"activation":"rely"}])")),
            "$.layers[0].activation: does not take 'rely'; did you mean 'relu'?");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,2]]}])", 3)),
            "$.layers: the last layer has 1 outputs, but $.output.values is 3");
  EXPECT_EQ(refusal(document(R"("layer":[])")),
            "$: unknown member 'layer'; did you mean 'layers'?");
  EXPECT_EQ(refusal(document(R"("layers":[{"weights":[[1,2]]}],"layers":[])")),
            "$: 'layers' stands here twice");
  EXPECT_EQ(refusal(R"({"format":"infiniedge-native/2"})"),
            "$.format: takes \"infiniedge-native/1\", the only version there is");
  EXPECT_EQ(refusal(R"({"format":"infiniedge-native/1"})"), "$: 'input' is missing");
  EXPECT_EQ(refusal(document(R"("standardise":{"mean":[0,0],"scale":[1,0]})")),
            "$.standardise: 'scale' holds a zero, and features are divided by it");
}

TEST(NativeReader, RefusesTreesThatCouldWalkForever) {
  const auto forest = [](const std::string& nodes) {
    return document(R"("forest":{"combine":"sum","trees":[{"nodes":[)" + nodes + "]}]}");
  };
  const std::string where = "$.forest.trees[0].nodes[0]";
  EXPECT_EQ(refusal(forest(R"({"feature":0,"threshold":1,"left":0,"right":1},{"value":[1]})")),
            where + ".left: takes the index of a node behind this one, 1 to 1");
  EXPECT_EQ(refusal(forest(R"({"feature":0,"threshold":1,"left":1,"right":2},{"value":[1]})")),
            where + ".right: takes the index of a node behind this one, 1 to 1");
  EXPECT_EQ(refusal(forest(R"({"feature":2,"threshold":1,"left":1,"right":1},{"value":[1]})")),
            where + ".feature: takes an integer from 0 to 1");
  EXPECT_EQ(refusal(forest(R"({"feature":0,"value":[1]})")),
            where + ": takes 'feature', 'threshold', 'left' and 'right', or 'value' alone");
  EXPECT_EQ(refusal(forest("{}")),
            where + ": takes 'feature', 'threshold', 'left' and 'right', or 'value' alone");
}

TEST(NativeBackend, EqualsOnnxRuntimeOnTheSameNetwork) {
  native::Backend backend;
  onnx::Backend reference;
  const auto folder = std::filesystem::path(INFINIEDGE_SOURCE_DIR) / "tests/models";
  auto own = backend.load(folder / "mlp.native.json", {});
  auto other = reference.load(folder / "mlp.onnx", {});
  ASSERT_TRUE(own.has_value()) << own.error().describe();
  ASSERT_TRUE(other.has_value()) << other.error().describe();
  EXPECT_EQ((*own)->inputs()[0].shape, (*other)->inputs()[0].shape);
  EXPECT_EQ((*own)->outputs()[0], (*other)->outputs()[0]);
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> x(std::size_t{100} * 64);
  for (auto& v : x) v = normal(random);
  const auto input = testing::tensor_of("x", DataType::Fp32, {100, 64}, x);
  auto ours = (*own)->run(std::span(&input, 1), {});
  auto theirs = (*other)->run(std::span(&input, 1), {});
  ASSERT_TRUE(ours && theirs);
  EXPECT_EQ((*ours)[0].shape, (*theirs)[0].shape);
  EXPECT_THAT(testing::floats_of((*ours)[0]),
              Pointwise(FloatNear(1e-5F), testing::floats_of((*theirs)[0])));
}

TEST(NativeBackend, RefusesWhatIsNoModel) {
  testing::TempRepository files;
  native::Backend backend;
  EXPECT_EQ(backend.load(files.root() / "absent.json", {}).error().code(), Code::NotFound);
  files.write("bad.json", R"({"format":1})");
  const auto bad = backend.load(files.root() / "bad.json", {});
  EXPECT_EQ(bad.error().code(), Code::Invalid);
  EXPECT_THAT(bad.error().message(), ::testing::HasSubstr("bad.json: $.format: takes"));
}

TEST(NativeBackend, RefusesMemoryOfAnotherShape) {
  native::Backend backend;
  auto model = backend.load(
      std::filesystem::path(INFINIEDGE_SOURCE_DIR) / "tests/models/mlp.native.json", {});
  ASSERT_TRUE(model);
  const auto x = testing::tensor_of("x", DataType::Fp32, {1, 64}, std::vector<float>(64));
  const auto short_x = testing::tensor_of("x", DataType::Fp32, {1, 63}, std::vector<float>(63));
  std::vector<std::byte> out(40);
  const std::int64_t right[] = {1, 10}, wrong[] = {2, 5};
  const auto code = [&](const Tensor& in, OutputView view) {
    const auto ran = (*model)->run_into(std::span(&in, 1), std::span(&view, 1), {});
    return ran ? std::optional<Code>{} : ran.error().code();
  };
  EXPECT_EQ(code(x, {DataType::Fp32, right, out}), std::nullopt);
  EXPECT_EQ(code(x, {DataType::Fp32, wrong, out}), Code::Invalid);
  EXPECT_EQ(code(x, {DataType::Int32, right, out}), Code::Invalid);
  EXPECT_EQ(code(x, {DataType::Fp32, right, std::span(out).first(39)}), Code::Invalid);
  EXPECT_EQ(code(short_x, {DataType::Fp32, right, out}), Code::Invalid);
}

}  // namespace
}  // namespace infiniedge::model
