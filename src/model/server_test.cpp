// SPDX-License-Identifier: Apache-2.0
#include "model/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "model/predictor.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using testing::floats_of;
using ::testing::HasSubstr;
using testing::TempRepository;
using testing::tensor_of;
using testing::values_of;

InferRequest linear(std::vector<float> values, std::string model = "linear") {
  const auto rows = static_cast<std::int64_t>(values.size() / 2);
  InferRequest request{.model = std::move(model)};
  request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {rows, 2}, values));
  return request;
}

InferRequest slow_request(std::optional<Micros> timeout = std::nullopt) {
  InferRequest request{.model = "slow", .timeout = timeout};
  request.inputs.push_back(
      tensor_of<float>("x", DataType::Fp32, {1, 256}, std::vector<float>(256, 1.0F)));
  return request;
}

/// Lets the version finish measuring its cost, which happens in the background.
void settle(Bench& bench, const std::string& model) {
  for (int i = 0; i < 100'000 && !(*bench.server.find(model))->measured(); ++i) {
    bench.context.restart();
    bench.context.run_one();
  }
  ASSERT_TRUE((*bench.server.find(model))->measured());
}

TEST(Server, AnswersWhatTheModelComputes) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("linear", "linear"));
  auto response = bench.run(bench.server.infer(linear({1, 2, 10, 20})));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_EQ(response->version, 1);
  ASSERT_EQ(response->outputs.size(), 1U);
  EXPECT_THAT(response->outputs[0].shape, ElementsAre(2, 1));
  EXPECT_THAT(floats_of(response->outputs[0]), ElementsAre(8.0F, 80.0F));
}

TEST(Server, CarriesEveryTypeThroughTheRuntime) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("types", "identity_types"));
  const std::string text{"\x02\0\0\0hi\0\0\0\0", 10};
  InferRequest request{.model = "types"};
  request.inputs = {
      tensor_of<float>("in_fp32", DataType::Fp32, {1, 2}, {1.5F, -2.5F}),
      tensor_of<std::int64_t>("in_int64", DataType::Int64, {1, 2}, {INT64_MIN, INT64_MAX}),
      tensor_of<char>("in_string", DataType::Bytes, {1, 2}, {text.begin(), text.end()}),
      tensor_of<std::uint8_t>("in_bool", DataType::Bool, {1, 2}, {0, 1}),
      tensor_of<std::uint8_t>("in_uint8", DataType::Uint8, {1, 2}, {7, 255}),
      tensor_of<std::uint16_t>("in_fp16", DataType::Fp16, {1, 2}, {0x3C00, 0x4000})};
  const auto given = request.inputs;
  auto response = bench.run(bench.server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  ASSERT_EQ(response->outputs.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(values_of<char>(response->outputs[i]), values_of<char>(given[i])) << given[i].name;
    EXPECT_EQ(response->outputs[i].type, given[i].type);
  }
}

TEST(Server, MisalignedInputIsCopiedNotMisread) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("linear", "linear"));
  auto body = std::make_shared<std::string>("?");
  for (const float value : {1.0F, 2.0F}) body->append(reinterpret_cast<const char*>(&value), 4);
  InferRequest request{.model = "linear"};
  request.inputs.push_back(
      {"x", DataType::Fp32, {1, 2}, std::as_bytes(std::span(*body)).subspan(1), body});
  auto response = bench.run(bench.server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_THAT(floats_of(response->outputs[0]), ElementsAre(8.0F));
}

TEST(Server, SaysWhatIsWrongWithARequest) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("linear", "linear"));
  const auto message = [&](InferRequest request) {
    auto response = bench.run(bench.server.infer(std::move(request)));
    return response ? "answered" : response.error().message();
  };
  EXPECT_THAT(message(linear({1, 2}, "none")), HasSubstr("unknown model: 'none' is not found"));
  auto wrong = linear({1, 2});
  wrong.inputs[0].shape = {1, 3};
  EXPECT_THAT(message(wrong), HasSubstr("Expected [-1,2], got [1,3]"));
  wrong = linear({1, 2});
  wrong.inputs[0].shape = {2, 2};
  EXPECT_THAT(message(wrong), HasSubstr("has 8 bytes"));
  wrong = linear(std::vector<float>(18));
  EXPECT_THAT(message(wrong), HasSubstr("batch-size must be <= 8 for 'linear'"));
  wrong = linear({1, 2});
  wrong.inputs[0].name = "y";
  EXPECT_THAT(message(wrong), HasSubstr("unexpected inference input 'y'"));
  wrong = linear({1, 2});
  wrong.inputs.clear();
  EXPECT_THAT(message(wrong), HasSubstr("missing required input(s) 'x'"));
  wrong = linear({1, 2});
  wrong.outputs = {"y", "y"};
  EXPECT_THAT(message(wrong), HasSubstr("requested twice"));
  wrong = linear({1, 2});
  wrong.inputs[0].shape = {-1, 2};
  EXPECT_THAT(message(wrong), HasSubstr("batch-size must be"));
}

TEST(Server, LoadsReloadsAndUnloadsFromARepository) {
  TempRepository repository;
  repository.add("m", "linear", 1);
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "linear", 3);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ((*bench.server.find("m"))->version(), 3);
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(3));
  ASSERT_TRUE(bench.run(bench.server.unload("m")));
  EXPECT_EQ(bench.server.find("m").error().code(), Code::Unavailable);
  auto index = bench.run(bench.server.index(false));
  ASSERT_TRUE(index.has_value());
  ASSERT_EQ(index->size(), 2U);
  EXPECT_EQ((*index)[1].state, State::Unavailable);
  EXPECT_EQ((*index)[1].reason, "unloaded");
}

TEST(Server, AFailedReloadLeavesTheOldServing) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.write("m/1/model.onnx", "this is not a model");
  auto reloaded = bench.run(bench.server.load("m"));
  ASSERT_FALSE(reloaded.has_value());
  EXPECT_EQ(reloaded.error().code(), Code::Corrupt);
  EXPECT_THAT(reloaded.error().describe(), HasSubstr("failed to load 'm'"));
  EXPECT_TRUE(bench.run(bench.server.infer(linear({1, 2}, "m"))).has_value());
  auto index = bench.run(bench.server.index(true));
  ASSERT_EQ(index->size(), 1U);
  EXPECT_THAT((*index)[0].reason, HasSubstr("failed to load"));
}

Task<void> ask_until(Bench& bench, const bool& over, int& answered, int& failed, int& ended) {
  while (!over) {
    auto response = co_await bench.server.infer(linear({1, 2}, "m"));
    ++(response && floats_of(response->outputs[0])[0] == 8.0F ? answered : failed);
    co_await boost::asio::post(bench.context, boost::asio::use_awaitable);
  }
  ++ended;
}

Task<int> reload_often(Bench& bench, bool& over) {
  int loaded = 0;
  for (int i = 0; i < 10; ++i) loaded += (co_await bench.server.load("m")).has_value() ? 1 : 0;
  over = true;
  co_return loaded;
}

TEST(Server, ReloadingLosesNoRequest) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  bool over = false;
  int answered = 0, failed = 0, ended = 0;
  for (int i = 0; i < 4; ++i) {
    boost::asio::co_spawn(bench.context, ask_until(bench, over, answered, failed, ended),
                          boost::asio::detached);
  }
  EXPECT_EQ(bench.run(reload_often(bench, over)), 10);
  while (ended < 4) {
    bench.context.restart();
    bench.context.run_one();
  }
  EXPECT_GT(answered, 10);
  EXPECT_EQ(failed, 0);
}

TEST(Server, DeadlineInTheQueueExpiresWithoutRunning) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("slow", "slow"));
  settle(bench, "slow");
  const auto before = (*bench.server.find("slow"))->statistics().executions;
  std::optional<Result<InferResponse>> first, late;
  const auto into = [](auto& slot) {
    return [&slot](std::exception_ptr, Result<InferResponse> r) { slot.emplace(std::move(r)); };
  };
  boost::asio::co_spawn(bench.context, bench.server.infer(slow_request()), into(first));
  boost::asio::co_spawn(bench.context, bench.server.infer(slow_request(Millis{5})), into(late));
  bench.context.restart();
  bench.context.poll();
  ASSERT_FALSE(late.has_value());
  bench.clock.advance(Millis{6});
  while (!first || !late) {
    bench.context.restart();
    bench.context.run_one();
  }
  EXPECT_TRUE(first->has_value());
  ASSERT_FALSE(late->has_value());
  EXPECT_EQ(late->error().code(), Code::Timeout);
  EXPECT_EQ((*bench.server.find("slow"))->statistics().executions, before + 1);
}

TEST(Server, RefusesWhenTheQueueIsFull) {
  Bench bench;
  auto definition = define_file("slow", testing::model_file("slow"), {});
  definition.config.batching.queue.max_size = 1;
  ASSERT_TRUE(bench.run(bench.server.load_definition(std::move(definition))));
  settle(bench, "slow");
  int refused = 0, done = 0;
  for (int i = 0; i < 4; ++i) {
    boost::asio::co_spawn(bench.context, bench.server.infer(slow_request()),
                          [&](std::exception_ptr, const Result<InferResponse>& r) {
                            ++done;
                            refused += !r && r.error().code() == Code::Exhausted ? 1 : 0;
                          });
  }
  while (done < 4) {
    bench.context.restart();
    bench.context.run_one();
  }
  EXPECT_EQ(refused, 2);  // One runs, one waits.
}

TEST(Server, CancelledRequestLeavesTheQueue) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("slow", "slow"));
  settle(bench, "slow");
  boost::asio::cancellation_signal signal;
  int done = 0;
  Code code = Code::Internal;
  boost::asio::co_spawn(bench.context, bench.server.infer(slow_request()),
                        [&](std::exception_ptr, const Result<InferResponse>&) { ++done; });
  boost::asio::co_spawn(bench.context, bench.server.infer(slow_request()),
                        boost::asio::bind_cancellation_slot(
                            signal.slot(), [&](std::exception_ptr, const Result<InferResponse>& r) {
                              ++done;
                              code = r ? Code::Internal : r.error().code();
                            }));
  bench.context.restart();
  bench.context.poll();
  signal.emit(boost::asio::cancellation_type::all);
  while (done < 2) {
    bench.context.restart();
    bench.context.run_one();
  }
  EXPECT_EQ(code, Code::Cancelled);
  EXPECT_EQ((*bench.server.find("slow"))->queued(), 0U);
}

TEST(Server, BatchesWhatWaitsWhenDelayIsDeclared) {
  Bench bench;
  auto definition = define_file("linear", testing::model_file("linear"), {});
  definition.config.batching = {
      .enabled = true, .declared = true, .preferred = {4}, .max_delay = Seconds{1}};
  ASSERT_TRUE(bench.run(bench.server.load_definition(std::move(definition))));
  settle(bench, "linear");
  std::vector<float> answers(4);
  int done = 0;
  for (int i = 0; i < 4; ++i) {
    boost::asio::co_spawn(bench.context, bench.server.infer(linear({static_cast<float>(i), 1})),
                          [&, i](std::exception_ptr, const Result<InferResponse>& r) {
                            answers[static_cast<std::size_t>(i)] = floats_of(r->outputs[0])[0];
                            ++done;
                          });
  }
  while (done < 4) {
    bench.context.restart();
    bench.context.run_one();
  }
  EXPECT_THAT(answers, ElementsAre(3, 5, 7, 9));
  const auto& statistics = (*bench.server.find("linear"))->statistics();
  EXPECT_EQ(statistics.executions, 1U);
  EXPECT_EQ(statistics.inferences, 4U);
  EXPECT_EQ(statistics.success.count, 4U);
  EXPECT_EQ(statistics.compute_infer.count, 4U);
  EXPECT_EQ(statistics.batches.at(4).compute_infer.count, 1U);
}

TEST(Server, RequiredModelDecidesReadiness) {
  TempRepository repository;
  repository.write("m/model.yaml", "required: true\n");
  repository.write("m/1/model.onnx", "broken");
  Bench bench(repository.root());
  EXPECT_FALSE(bench.run(bench.server.load("m")).has_value());
  EXPECT_FALSE(bench.server.ready());
  repository.add("m", "linear");
  EXPECT_TRUE(bench.run(bench.server.load("m")).has_value());
  EXPECT_TRUE(bench.server.ready());
  EXPECT_TRUE(bench.run(bench.server.unload("m")).has_value());
  EXPECT_TRUE(bench.server.ready());
}

TEST(Server, MissingRuntimeSaysHowToInstallIt) {
  Bench bench;
  onnx::Backend backend({.path = "/nonexistent/libonnxruntime.so"});
  auto loaded = backend.load(testing::model_file("linear"), {});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code(), Code::Unavailable);
  EXPECT_THAT(loaded.error().message(), HasSubstr("scripts/setup"));
}

TEST(Predictor, ClassifiesAndRegresses) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("sure", "sure", {"on", "off"}));
  ASSERT_TRUE(bench.load_file("linear", "linear"));
  ServerPredictor predictor(bench.server);
  EXPECT_EQ(*predictor.width("sure"), 1U);
  std::vector<Sample> samples;
  for (int i = 0; i < 20; ++i) samples.push_back({"d", {}, {i % 2 == 0 ? 2.0F : -2.0F}});
  auto answers = bench.run(predictor.predict("sure", samples));
  ASSERT_TRUE(answers.has_value()) << answers.error().describe();
  ASSERT_EQ(answers->size(), 20U);
  EXPECT_EQ((*answers)[0].label, "on");
  EXPECT_EQ((*answers)[19].label, "off");
  EXPECT_NEAR((*answers)[0].score, 0.8808, 1e-4);
  auto values = bench.run(predictor.predict("linear", {{"d", {}, {1, 2}}}));
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ((*values)[0].label, "");
  EXPECT_DOUBLE_EQ((*values)[0].score, 8);
  auto wrong = bench.run(predictor.predict("linear", {{"d", {}, {1}}}));
  ASSERT_TRUE(wrong.has_value());
  EXPECT_THAT((*wrong)[0].error, HasSubstr("takes 2 features"));
  EXPECT_EQ(bench.run(predictor.predict("none", {{"d", {}, {1}}})).error().code(), Code::NotFound);
}

TEST(Predictor, NumberThatIsNotFiniteIsNoAnswer) {
  Bench bench;
  ASSERT_TRUE(bench.load_file("sure", "sure", {"on", "off"}));
  ServerPredictor predictor(bench.server);
  auto answers = bench.run(predictor.predict("sure", {{"d", {}, {NAN}}}));
  ASSERT_TRUE(answers.has_value());
  EXPECT_THAT((*answers)[0].error, HasSubstr("not finite"));
}

TEST(Server, ServesNativeModelsWithBatchesAndInstances) {
  TempRepository repository;
  repository.write("rule/1/native.json",
                   R"({"format":"infiniedge-native/1","input":{"name":"x","features":2},)"
                   R"("output":{"name":"y","values":1},"layers":[{"weights":[[2,3]]}]})");
  repository.write("rule/model.yaml", "instances: 2");
  Bench bench(repository.root());
  const auto loaded = bench.run(bench.server.load("rule"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  InferRequest request{.model = "rule", .inputs = {}};
  request.inputs.push_back(
      testing::tensor_of("x", DataType::Fp32, {2, 2}, std::vector<float>{1, 1, 10, 0}));
  auto response = bench.run(bench.server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_THAT(testing::floats_of(response->outputs[0]), ::testing::ElementsAre(5, 20));
  EXPECT_EQ(response->config->max_batch(), kDefaultMaxBatch);
  EXPECT_THAT(
      bench.metrics.text(),
      ::testing::HasSubstr(R"(infiniedge_model_device{device="cpu",model="rule",version="1"} 1)"));
}

}  // namespace
}  // namespace infiniedge::model
