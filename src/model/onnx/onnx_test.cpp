// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <thread>

#include "model/onnx/backend.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::model_file;
using ::testing::SizeIs;

Tensor ramp(std::int64_t rows, std::int64_t width) {
  std::vector<float> x(static_cast<std::size_t>(rows * width));
  std::iota(x.begin(), x.end(), -10.0F);
  for (auto& v : x) v *= 0.01F;
  return testing::tensor_of("x", DataType::Fp32, {rows, width}, x);
}

std::vector<float> answer(Executable& model, const Tensor& x) {
  auto out = model.run(std::span(&x, 1), {});
  EXPECT_TRUE(out.has_value()) << out.error().describe();
  return out ? testing::floats_of((*out)[0]) : std::vector<float>{};
}

std::unique_ptr<Executable> load(const std::string& name, Backend::Options options = {}) {
  // Never destroyed: at exit the library's own statics go first.
  static auto& backend = *new onnx::Backend;
  auto model = backend.load(model_file(name), options);
  EXPECT_TRUE(model.has_value()) << model.error().describe();
  return model ? std::move(*model) : nullptr;
}

TEST(OnnxBackend, AcceleratorsThatAreNotThereAreRefusedAndTheCpuComputes) {
  const auto plain = load("mlp");
  const auto model = load(
      "mlp",
      {.accelerators = {
           {.name = "cuda"}, {.name = "tensorrt"}, {.name = "xnnpack"}, {.name = "imaginary"}}});
  ASSERT_TRUE(plain && model);
  EXPECT_EQ(model->device(), "cpu");
  const auto refusals = model->refusals();
  ASSERT_THAT(refusals, SizeIs(4));
  EXPECT_EQ(refusals[0].accelerator, "cuda");
  EXPECT_EQ(refusals[3].accelerator, "imaginary");
  for (const auto& refusal : refusals) EXPECT_NE(refusal.reason, "") << refusal.accelerator;
  EXPECT_EQ(answer(*model, ramp(3, 64)), answer(*plain, ramp(3, 64)));
}

/// For a libonnxruntime.so with a provider, named by INFINIEDGE_ONNXRUNTIME.
TEST(OnnxBackend, AnAcceleratorThatIsThereComputes) {
  const auto plain = load("mlp");
  const auto model =
      load("mlp", {.accelerators = {{.name = "imaginary"},
                                    {.name = "openvino", .options = {{"device", "CPU"}}}}});
  ASSERT_TRUE(plain && model);
  if (model->refusals().size() > 1) GTEST_SKIP() << "this ONNX Runtime has no OpenVINO provider";
  EXPECT_THAT(model->refusals(), SizeIs(1));
  EXPECT_THAT(answer(*model, ramp(3, 64)),
              ::testing::Pointwise(::testing::FloatNear(1e-5F), answer(*plain, ramp(3, 64))));
}

TEST(OnnxBackend, TheCpuEndsTheListOfAccelerators) {
  const auto model = load("mlp", {.accelerators = {{.name = "cpu"}, {.name = "cuda"}}});
  ASSERT_TRUE(model);
  EXPECT_THAT(model->refusals(), IsEmpty());
}

TEST(OnnxBackend, RefusedAcceleratorsAreAMetric) {
  testing::Bench bench;
  auto definition = define_file("m", model_file("linear"), {});
  definition.config.accelerators = {{.name = "cuda"}};
  ASSERT_TRUE(bench.run(bench.server.load_definition(definition)));
  const auto text = bench.metrics.text();
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(infiniedge_model_accelerator_refused{accelerator="cuda",model="m",version="1"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(infiniedge_model_device{device="cpu",model="m",version="1"} 1)"));
}

TEST(OnnxBackend, RunWritesIntoMemoryOfTheCaller) {
  const auto model = load("mlp");
  ASSERT_TRUE(model);
  const auto x = ramp(4, 64);
  std::vector<float> out(40);
  const std::int64_t shape[] = {4, 10}, other[] = {10, 4};
  OutputView view{DataType::Fp32, shape, std::as_writable_bytes(std::span(out))};
  const auto ran = model->run_into(std::span(&x, 1), std::span(&view, 1), {});
  ASSERT_TRUE(ran.has_value()) << ran.error().describe();
  EXPECT_EQ(out, answer(*model, x));
  view.shape = other;
  EXPECT_EQ(model->run_into(std::span(&x, 1), std::span(&view, 1), {}).error().code(),
            Code::Invalid);
}

TEST(OnnxBackend, ShapesThatTheFileDeclaresWronglyComeOutAsTheyAre) {
  const auto model = load("declared_wrong");
  ASSERT_TRUE(model);
  EXPECT_THAT(model->outputs()[0].shape, ElementsAre(1, 2));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(answer(*model, ramp(3, 2)), SizeIs(6));
}

TEST(OnnxBackend, ParametersAreHonouredOrRefused) {
  const auto plain = load("mlp");
  const auto odd = load("mlp", {.parameters = {{"execution_mode", "1"},
                                               {"enable_mem_arena", "0"},
                                               {"enable_mem_pattern", "0"},
                                               {"NUM_STREAMS", "not ours"}}});
  ASSERT_TRUE(plain && odd);
  EXPECT_EQ(answer(*odd, ramp(3, 64)), answer(*plain, ramp(3, 64)));
  onnx::Backend backend;
  const auto refusal = [&](const char* key, const char* value) {
    const auto model = backend.load(model_file("mlp"), {.parameters = {{key, value}}});
    return model ? "accepted" : model.error().describe();
  };
  EXPECT_THAT(refusal("execution_mode", "parallel"),
              HasSubstr("parameter execution_mode takes 0 or 1, not 'parallel'"));
  EXPECT_THAT(refusal("enable_mem_arena", ""), HasSubstr("takes 0 or 1"));
  EXPECT_THAT(refusal("dimension.batch", "0"), HasSubstr("takes a size from 1, not '0'"));
}

TEST(OnnxBackend, ANamedDimensionCanBeFixed) {
  const auto model = load("mlp", {.parameters = {{"dimension.batch", "4"}}});
  ASSERT_TRUE(model);
  EXPECT_THAT(model->inputs()[0].shape, ElementsAre(4, 64));
  EXPECT_THAT(answer(*model, ramp(4, 64)), SizeIs(40));
}

TEST(OnnxBackend, InstancesShareASessionAndRunBesideEachOther) {
  const auto first = load("mlp");
  ASSERT_TRUE(first);
  auto second = first->another();
  ASSERT_TRUE(second.has_value()) << second.error().describe();
  const auto x = ramp(5, 64);
  const auto expected = answer(*first, x);
  const auto work = [&](Executable& model) {
    for (int i = 0; i < 200; ++i) ASSERT_EQ(answer(model, x), expected);
  };
  std::thread other([&] { work(**second); });
  work(*first);
  other.join();
}

TEST(OnnxBackend, ThreadsOfThePoolCarryAName) {
  if (::testing::UnitTest::GetInstance()->test_to_run_count() > 1) {
    GTEST_SKIP() << "the runtime has one pool a process, made by another test: run this one alone";
  }
  onnx::Backend backend({.path = {}, .pool_threads = 3});
  auto model = backend.load(model_file("mlp"), {.threads = 3});
  ASSERT_TRUE(model.has_value()) << model.error().describe();
  EXPECT_THAT(answer(**model, ramp(8, 64)), SizeIs(80));
  int named = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    named += name == "onnx-pool" ? 1 : 0;
  }
  EXPECT_GE(named, 1);
}

}  // namespace
}  // namespace infiniedge::model
