// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "model/plugin/backend.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempRepository;

constexpr auto kHostile = INFINIEDGE_HOSTILE_PLUGIN;

/// What a table with a fault is refused with.
std::string refusal(const char* fault) {
  setenv("HOSTILE", fault, 1);
  const auto opened = plugin::Backend::open(kHostile);
  unsetenv("HOSTILE");
  return opened ? "accepted" : opened.error().describe();
}

/// Models and instances that the plugin still holds.
int alive() {
  void* handle = dlopen(kHostile, RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return -1;
  const auto count = reinterpret_cast<int (*)()>(dlsym(handle, "hostile_alive"))();
  dlclose(handle);
  return count;
}

/// A model of the hostile plugin that breaks its contract in one way.
struct Hostile {
  explicit Hostile(const std::string& word) {
    files.write("model.txt", word);
    auto opened = plugin::Backend::open(kHostile);
    EXPECT_TRUE(opened.has_value()) << opened.error().describe();
    backend = std::move(*opened);
    model = backend->load(files.root() / "model.txt", {});
  }
  Result<std::vector<Tensor>> run(std::stop_token stop = {}) {
    const auto x = testing::tensor_of("x", DataType::Fp32, {2}, std::vector<float>{1, 2});
    return (*model)->run(std::span(&x, 1), std::move(stop));
  }

  TempRepository files;
  std::unique_ptr<plugin::Backend> backend;
  Result<std::unique_ptr<Executable>> model = Error{Code::Internal, "not loaded"};
};

TEST(Plugin, TablesThatDoNotFitAreRefused) {
  EXPECT_THAT(refusal("version"), HasSubstr("has interface version 2, and this node has 1"));
  EXPECT_THAT(refusal("none"), HasSubstr("does not work with interface version 1"));
  EXPECT_THAT(refusal("short"), HasSubstr("has a table of 16 bytes instead of"));
  EXPECT_THAT(refusal("null"), HasSubstr("leaves a function of its table empty"));
  EXPECT_THAT(refusal("name"), HasSubstr("has no name of the letters"));
  EXPECT_THAT(refusal("filename"), HasSubstr("has no plain default_filename"));
  EXPECT_THAT(refusal("probe"), HasSubstr("the accelerator is not plugged in"));
  EXPECT_EQ(refusal("nothing is wrong"), "accepted");
}

TEST(Plugin, WhatIsNoPluginIsRefused) {
  TempRepository files;
  files.write("text.so", "not a library");
  EXPECT_EQ(plugin::Backend::open(files.root() / "absent.so").error().code(), Code::NotFound);
  EXPECT_EQ(plugin::Backend::open(files.root() / "text.so").error().code(), Code::Unavailable);
  const auto other = plugin::Backend::open(INFINIEDGE_DEPS_DIR "/onnxruntime/libonnxruntime.so");
  EXPECT_THAT(other.error().describe(), HasSubstr("does not export infiniedge_backend_entry"));
}

TEST(Plugin, FilesThatOthersMayChangeAreNotLoaded) {
  TempRepository files;
  const auto copy = files.root() / "hostile.so";
  std::filesystem::copy_file(kHostile, copy);
  using std::filesystem::perms;
  std::filesystem::permissions(copy, perms::others_write, std::filesystem::perm_options::add);
  EXPECT_EQ(plugin::Backend::open(copy).error().code(), Code::Denied);
  EXPECT_THAT(plugin::open_folder(files.root()), IsEmpty());
  std::filesystem::permissions(copy, perms::others_write, std::filesystem::perm_options::remove);
  EXPECT_THAT(plugin::open_folder(files.root()), SizeIs(1));
  std::filesystem::permissions(files.root(), perms::others_write,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(plugin::open_folder(files.root()), IsEmpty());
}

TEST(Plugin, DescriptionsThatAreNonsenseAreDefectsOfThePlugin) {
  for (const auto* word : {"nameless", "typeless", "shapeless", "negative", "countless"}) {
    const Hostile hostile(word);
    ASSERT_FALSE(hostile.model.has_value()) << word;
    EXPECT_EQ(hostile.model.error().code(), Code::Internal) << word;
    EXPECT_THAT(hostile.model.error().message(), HasSubstr("breaks its contract")) << word;
  }
  EXPECT_THAT(Hostile("nothing").model.error().message(), HasSubstr("returns no model"));
  const Hostile unloadable("unloadable");
  EXPECT_EQ(unloadable.model.error().code(), Code::Invalid);
  EXPECT_EQ(unloadable.model.error().message(), "backend 'hostile': line 1: no model");
  EXPECT_EQ(alive(), 0);
}

TEST(Plugin, ErrorsOfARunKeepTheirCodeAndText) {
  Hostile fails("fails");
  EXPECT_EQ(fails.run().error().code(), Code::Unavailable);
  EXPECT_EQ(fails.run().error().message(), "backend 'hostile': the accelerator was pulled");
  EXPECT_EQ(Hostile("mute").run().error().message(), "backend 'hostile': it gives no reason");
  EXPECT_EQ(Hostile("codes").run().error().code(), Code::Internal);
  EXPECT_EQ(Hostile("babble").run().error().message(),
            "backend 'hostile': its reason is not readable text");
}

TEST(Plugin, OutputsThatLieAreNotBelieved) {
  EXPECT_EQ(Hostile("bytes").run().error().code(), Code::Internal);
  EXPECT_EQ(Hostile("minus").run().error().code(), Code::Internal);
  EXPECT_EQ(Hostile("shapes").run().error().code(), Code::Internal);
  EXPECT_EQ(Hostile("greedy").run().error().code(), Code::Exhausted);
}

TEST(Plugin, OutputsOfUnknownSizeGetTheRoomTheyAskFor) {
  Hostile hostile("grows");
  for (int i = 0; i < 2; ++i) {
    const auto out = hostile.run();
    ASSERT_TRUE(out.has_value()) << out.error().describe();
    EXPECT_THAT((*out)[0].shape, ElementsAre(2, 2000));
    EXPECT_EQ((*out)[0].data.size(), 16'000U);
  }
}

TEST(Plugin, TheCancelFlagReachesTheRun) {
  Hostile hostile("waits");
  std::stop_source stop;
  std::thread canceller([&] { stop.request_stop(); });
  EXPECT_EQ(hostile.run(stop.get_token()).error().code(), Code::Cancelled);
  canceller.join();
}

TEST(Plugin, InstancesShareAModelAndAllIsReleased) {
  {
    Hostile hostile("copies");
    ASSERT_TRUE(hostile.model.has_value()) << hostile.model.error().describe();
    EXPECT_EQ((*hostile.model)->device(), "npu");
    auto second = (*hostile.model)->another();
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(alive(), 3);
    hostile.model->reset();
    const auto x = testing::tensor_of("x", DataType::Fp32, {2}, std::vector<float>{1, 2});
    const auto out = (*second)->run(std::span(&x, 1), {});
    ASSERT_TRUE(out.has_value()) << out.error().describe();
    EXPECT_THAT(testing::floats_of((*out)[0]), ElementsAre(1, 2));
  }
  EXPECT_EQ(alive(), 0);
}

/// The example, built outside the tree by the CTest `example.backend_c`, which names the library.
TEST(PluginExample, ServesItsModels) {
  const char* library = std::getenv("INFINIEDGE_EXAMPLE_PLUGIN");
  if (library == nullptr) GTEST_SKIP() << "run by the test example.backend_c";
  TempRepository repository;
  auto opened = plugin::Backend::open(library);
  ASSERT_TRUE(opened.has_value()) << opened.error().describe();
  repository.write("square/1/polynomial.txt", "0\n0\n1\n");
  repository.write("square/model.yaml", "backend: polynomial\nmax_batch: 0\n");
  repository.write("broken/1/polynomial.txt", "0\none\n");
  repository.write("broken/model.yaml", "backend: polynomial\n");
  testing::Bench bench(repository.root());
  bench.server.add(**opened);
  const auto loaded = bench.run(bench.server.load("square"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  const auto ask = [&](std::vector<double> x) {
    InferRequest request{.model = "square", .inputs = {}};
    const auto count = static_cast<std::int64_t>(x.size());
    request.inputs.push_back(testing::tensor_of("x", DataType::Fp64, {count}, x));
    return bench.run(bench.server.infer(std::move(request)));
  };
  const auto answer = ask({1, 2, 3});
  ASSERT_TRUE(answer.has_value()) << answer.error().describe();
  EXPECT_THAT(testing::values_of<double>(answer->outputs[0]), ElementsAre(1, 4, 9));
  EXPECT_THAT(ask({1, std::numeric_limits<double>::infinity()}).error().describe(),
              HasSubstr("x[1] is not finite"));
  EXPECT_THAT(bench.run(bench.server.load("broken")).error().describe(),
              HasSubstr("polynomial.txt:2: write one finite number a line"));
}

}  // namespace
}  // namespace infiniedge::model
