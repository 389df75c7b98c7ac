// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "model/openvino/backend.hpp"
#include "model/openvino/properties.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::model_file;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::filesystem::path kSource = INFINIEDGE_SOURCE_DIR;

/// The backend, or null where OpenVINO is not installed: it is an optional part.
openvino::Backend* openvino_here() {
  // Never destroyed: at exit the library's own statics go first.
  static auto& backend = *new openvino::Backend;
  static const bool here = [] {
    const auto model = backend.load(model_file("linear"), {});
    return model || model.error().code() != Code::Unavailable;
  }();
  return here ? &backend : nullptr;
}

#define NEEDS_OPENVINO()                 \
  auto* const backend = openvino_here(); \
  if (backend == nullptr) GTEST_SKIP() << "no OpenVINO: scripts/setup --openvino"

Tensor noise(const TensorSpec& spec, std::int64_t batch) {
  std::mt19937 random(static_cast<unsigned>(batch));
  auto shape = spec.shape;
  for (auto& dim : shape) dim = dim < 0 ? batch : dim;
  std::int64_t count = 1;
  for (const auto dim : shape) count *= dim;
  if (spec.type == DataType::Int32) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(count));
    for (auto& v : values) v = static_cast<std::int32_t>(random() % 1000);
    return testing::tensor_of(spec.name, spec.type, shape, values);
  }
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (auto& v : values) v = normal(random);
  return testing::tensor_of(spec.name, spec.type, shape, values);
}

void expect_near(const Tensor& ours, const Tensor& theirs) {
  EXPECT_EQ(ours.name, theirs.name);
  EXPECT_EQ(ours.shape, theirs.shape);
  if (ours.type == DataType::Int32) {
    EXPECT_EQ(testing::values_of<int>(ours), testing::values_of<int>(theirs));
  } else {
    const auto got = testing::floats_of(ours), expected = testing::floats_of(theirs);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i], expected[i], 1e-5F * std::max(1.0F, std::abs(expected[i]))) << i;
    }
  }
}

class OpenvinoAgainstOnnx : public ::testing::TestWithParam<const char*> {};

TEST_P(OpenvinoAgainstOnnx, OutputsAreEqual) {
  NEEDS_OPENVINO();
  onnx::Backend reference;
  const auto file = kSource / GetParam();
  auto ours = backend->load(file, {});
  auto theirs = reference.load(file, {});
  ASSERT_TRUE(ours.has_value()) << ours.error().describe();
  ASSERT_TRUE(theirs.has_value());
  EXPECT_EQ((*ours)->inputs(), (*theirs)->inputs());
  EXPECT_EQ((*ours)->outputs(), (*theirs)->outputs());
  EXPECT_EQ((*ours)->device(), "cpu");
  for (const std::int64_t batch : {1, 7, 2}) {
    std::vector<Tensor> inputs;
    for (const auto& spec : (*ours)->inputs()) inputs.push_back(noise(spec, batch));
    auto got = (*ours)->run(inputs, {});
    auto expected = (*theirs)->run(inputs, {});
    ASSERT_TRUE(got.has_value()) << got.error().describe();
    ASSERT_TRUE(expected.has_value());
    ASSERT_EQ(got->size(), expected->size());
    for (std::size_t i = 0; i < got->size(); ++i) expect_near((*got)[i], (*expected)[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, OpenvinoAgainstOnnx,
                         ::testing::Values("tests/models/mlp.onnx", "tests/models/add_sub.onnx",
                                           "tests/models/static_add.onnx",
                                           "tests/models/linear.onnx", "tests/models/opposite.onnx",
                                           "tests/models/identity_fp32.onnx",
                                           "examples/appliances/student.onnx"));

TEST(OpenvinoBackend, ServesIrFromARepositoryWithSeveralInstances) {
  NEEDS_OPENVINO();
  testing::TempRepository repository;
  std::filesystem::create_directories(repository.root() / "ir/1");
  for (const auto* file : {"model.xml", "model.bin"}) {
    std::filesystem::copy_file(kSource / "tests/models/linear_ir" / file,
                               repository.root() / "ir/1" / file);
  }
  repository.write("ir/model.yaml", "instances: 2");
  testing::Bench bench(repository.root());
  bench.server.add(*backend);
  const auto loaded = bench.run(bench.server.load("ir"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  InferRequest request{.model = "ir", .inputs = {}};
  request.inputs.push_back(
      testing::tensor_of("x", DataType::Fp32, {2, 2}, std::vector<float>{1, 1, 10, 0}));
  const auto response = bench.run(bench.server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_THAT(testing::floats_of(response->outputs[0]), ElementsAre(5, 20));
  EXPECT_EQ(response->config->platform, "openvino");
}

TEST(OpenvinoBackend, RefusesCorruptModels) {
  NEEDS_OPENVINO();
  testing::TempRepository files;
  const auto xml = [] {
    std::ifstream file(kSource / "tests/models/linear_ir/model.xml");
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }();
  const auto replaced = [&](std::string from, const std::string& to) {
    auto text = xml;
    EXPECT_NE(text.find(from), std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string weights(8, '\1');
  const std::pair<std::string, std::string> broken[] = {
      {xml.substr(0, xml.size() / 2), weights},
      {"", weights},
      {std::string(100, '\xff'), weights},
      {xml, ""},
      {xml, weights.substr(4)},
      {replaced("offset=\"0\"", "offset=\"4294967296\""), weights},
      {replaced("size=\"8\"", "size=\"800\""), weights},
      {replaced("to-layer=\"3\"", "to-layer=\"99\""), weights},
      {replaced("type=\"MatMul\"", "type=\"Magic\""), weights},
  };
  for (const auto& [text, bytes] : broken) {
    files.write("model.xml", text);
    files.write("model.bin", bytes);
    const auto model = backend->load(files.root() / "model.xml", {});
    ASSERT_FALSE(model.has_value()) << text;
    EXPECT_EQ(model.error().code(), Code::Invalid) << model.error().describe();
  }
  files.write("model.onnx", "\x08\x09no model");
  EXPECT_EQ(backend->load(files.root() / "model.onnx", {}).error().code(), Code::Invalid);
  EXPECT_EQ(backend->load(files.root() / "absent.xml", {}).error().code(), Code::NotFound);
}

TEST(OpenvinoBackend, RefusesTensorsItCannotServe) {
  NEEDS_OPENVINO();
  const auto model = backend->load(model_file("identity_string"), {});
  EXPECT_EQ(model.error().code(), Code::Unsupported);
  auto linear = backend->load(model_file("linear"), {});
  ASSERT_TRUE(linear.has_value());
  const auto wide = testing::tensor_of("x", DataType::Fp32, {1, 3}, std::vector<float>(3));
  EXPECT_EQ((*linear)->run(std::span(&wide, 1), {}).error().code(), Code::Invalid);
  const auto whole = testing::tensor_of("x", DataType::Int32, {1, 2}, std::vector<int>(2));
  EXPECT_EQ((*linear)->run(std::span(&whole, 1), {}).error().code(), Code::Invalid);
}

TEST(OpenvinoBackend, InputsNeedNotBeAligned) {
  NEEDS_OPENVINO();
  auto model = backend->load(model_file("linear"), {});
  ASSERT_TRUE(model.has_value());
  std::vector<std::byte> bytes(9);
  const float values[] = {1, 2};
  std::memcpy(bytes.data() + 1, values, 8);
  const Tensor x{.name = "x", .shape = {1, 2}, .data = std::span(bytes).subspan(1)};
  auto out = (*model)->run(std::span(&x, 1), {});
  ASSERT_TRUE(out.has_value()) << out.error().describe();
  EXPECT_THAT(testing::floats_of((*out)[0]), ElementsAre(8));
}

TEST(OpenvinoBackend, DevicesThatAreNotThereFallBackToTheCpu) {
  NEEDS_OPENVINO();
  auto model = backend->load(model_file("linear"), {.accelerators = {{.name = "imaginary"}}});
  ASSERT_TRUE(model.has_value()) << model.error().describe();
  EXPECT_EQ((*model)->device(), "cpu");
  ASSERT_THAT((*model)->refusals(), SizeIs(1));
  EXPECT_EQ((*model)->refusals()[0].accelerator, "imaginary");
}

TEST(OpenvinoBackend, ALongRunCanBeCancelled) {
  NEEDS_OPENVINO();
  auto model = backend->load(model_file("slow"), {});
  ASSERT_TRUE(model.has_value()) << model.error().describe();
  const auto x = testing::tensor_of("x", DataType::Fp32, {64, 256}, std::vector<float>(64 * 256));
  std::stop_source stop;
  std::thread canceller([&] { stop.request_stop(); });
  const auto ran = (*model)->run(std::span(&x, 1), stop.get_token());
  canceller.join();
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().code(), Code::Cancelled);
}

TEST(OpenvinoBackend, SaysHowToInstallWhatIsMissing) {
  openvino::Backend absent({.library = "/nonexistent/libopenvino_c.so", .cache_dir = {}});
  const auto model = absent.load(model_file("linear"), {});
  EXPECT_EQ(model.error().code(), Code::Unavailable);
  EXPECT_THAT(model.error().message(), HasSubstr("run scripts/setup --openvino"));
}

TEST(OpenvinoProperties, AreLatencyForOneInstanceAndStreamsForMore) {
  using openvino::properties_of;
  EXPECT_THAT(*properties_of({.threads = 2}, "CPU", "/var/cache/ov"),
              UnorderedElementsAre(
                  Pair("PERFORMANCE_HINT", "LATENCY"), Pair("INFERENCE_NUM_THREADS", "2"),
                  Pair("ENABLE_CPU_PINNING", "NO"), Pair("INFERENCE_PRECISION_HINT", "f32"),
                  Pair("CACHE_DIR", "/var/cache/ov")));
  const auto two = *properties_of({.threads = 1, .instances = 2}, "CPU", "");
  EXPECT_EQ(two.at("NUM_STREAMS"), "2");
  EXPECT_EQ(two.at("INFERENCE_NUM_THREADS"), "2");
  EXPECT_FALSE(two.contains("PERFORMANCE_HINT"));
  EXPECT_FALSE(two.contains("CACHE_DIR"));
  EXPECT_EQ(properties_of({}, "GPU", "")->at("ALLOW_AUTO_BATCHING"), "NO");
}

TEST(OpenvinoProperties, OfTheModelWinUnlessTheyContradict) {
  using openvino::properties_of;
  const auto given = *properties_of(
      {.instances = 2,
       .parameters = {{"PERFORMANCE_HINT", "THROUGHPUT"}, {"CACHE_DIR", "/etc"}, {"other", "x"}}},
      "CPU", "");
  EXPECT_EQ(given.at("PERFORMANCE_HINT"), "THROUGHPUT");
  EXPECT_FALSE(given.contains("NUM_STREAMS"));
  EXPECT_FALSE(given.contains("CACHE_DIR"));  // Where files are written is the operator's choice.
  EXPECT_FALSE(given.contains("other"));
  const auto both = properties_of(
      {.parameters = {{"PERFORMANCE_HINT", "LATENCY"}, {"NUM_STREAMS", "2"}}}, "CPU", "");
  EXPECT_THAT(both.error().message(), HasSubstr("contradict each other"));
  const auto wrong = properties_of({.parameters = {{"NUM_STREAMS", "many"}}}, "CPU", "");
  EXPECT_THAT(wrong.error().message(), HasSubstr("takes a number from 1 to 256, not 'many'"));
  const auto typo = properties_of({.parameters = {{"ENABLE_CPU_PINNING", "maybe"}}}, "CPU", "");
  EXPECT_THAT(typo.error().message(), HasSubstr("takes NO, YES, not 'maybe'"));
}

}  // namespace
}  // namespace infiniedge::model
