// SPDX-License-Identifier: Apache-2.0
#include "model/repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/config_pbtxt.hpp"
#include "model/cost.hpp"
#include "model/model_yaml.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempRepository;

Result<ModelConfig> pbtxt(std::string_view text, std::vector<std::string>* warnings = nullptr) {
  ModelConfig config{.name = "m"};
  std::vector<std::string> ignored;
  auto read = read_config_pbtxt(text, "config.pbtxt", config, warnings ? *warnings : ignored);
  if (!read) return std::move(read).error();
  return config;
}

Result<ModelConfig> yaml(std::string_view text, ModelConfig config = {.name = "m"}) {
  auto read = read_model_yaml(text, "model.yaml", config);
  if (!read) return std::move(read).error();
  return config;
}

TEST(ConfigPbtxt, ReadsEveryFormOfTheText) {
  std::vector<std::string> warnings;
  auto config = pbtxt(R"(
    name: "m"  # a comment
    platform: 'onnx' "runtime_onnx"
    max_batch_size: 16;
    input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, -1 ] }, { name: "y", data_type: 9 dims: 1 dims: 2 } ]
    output { name: "\x6c\141bel" data_type: TYPE_STRING dims: [ 1 ] label_filename: "labels.txt" }
    instance_group [ { kind: KIND_GPU count: 2 } ]
    dynamic_batching { preferred_batch_size: [4, 8] max_queue_delay_microseconds: 100
      default_queue_policy { default_timeout_microseconds: 5000 max_queue_size: 7 } }
    version_policy: { specific { versions: [1, 3] } }
    parameters { key: "intra_op_thread_count" value: { string_value: "2" } }
  )",
                      &warnings);
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->platform, "onnxruntime_onnx");
  EXPECT_EQ(config->max_batch(), 16);
  ASSERT_THAT(config->inputs, SizeIs(2));
  EXPECT_THAT(config->inputs[0].dims, ElementsAre(3, -1));
  EXPECT_EQ(config->inputs[1].type, DataType::Int64);
  EXPECT_THAT(config->inputs[1].dims, ElementsAre(1, 2));
  EXPECT_EQ(config->outputs[0].name, "label");
  EXPECT_EQ(config->outputs[0].type, DataType::Bytes);
  EXPECT_EQ(config->instances, 2);
  EXPECT_EQ(config->threads, 2);
  EXPECT_THAT(config->batching.preferred, ElementsAre(4, 8));
  EXPECT_EQ(config->batching.max_delay, Micros{100});
  EXPECT_EQ(config->batching.queue.timeout, Micros{5000});
  EXPECT_EQ(config->batching.queue.max_size, 7U);
  EXPECT_THAT(config->versions.specific, ElementsAre(1, 3));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("no GPU here")));
}

TEST(ConfigPbtxt, PointsAtTheMistakeAndSuggests) {
  const auto message = [](std::string_view text) {
    const auto config = pbtxt(text);
    return config ? "accepted" : config.error().message();
  };
  EXPECT_EQ(message("name: \"m\"\n  max_batchsize: 8"),
            "config.pbtxt:2:3: unknown field 'max_batchsize' in the model configuration; did you "
            "mean 'max_batch_size'?");
  EXPECT_THAT(
      message("input { name: \"x\" data_type: TYPE_FP23 }"),
      HasSubstr("config.pbtxt:1:30: 'TYPE_FP23' is not a value of 'data_type'; did you mean "
                "'TYPE_FP32'?"));
  EXPECT_THAT(message("max_batch_size: many"),
              HasSubstr("1:17: 'max_batch_size' takes an integer"));
  EXPECT_THAT(message("name: \"m"), HasSubstr("1:7: the string is not closed"));
  EXPECT_THAT(message("input {"), HasSubstr("lacks its '}'"));
  EXPECT_THAT(message("input [ {} {} ]"), HasSubstr("expected ',' or ']' in the list"));
  EXPECT_THAT(message("input [ { } ]"), HasSubstr("1:9: a tensor needs a name"));
  EXPECT_THAT(message("ensemble_scheduling { }"),
              HasSubstr("1:21: an ensemble needs at least one"));
}

TEST(ConfigPbtxt, ReadsTheRestOfTheSubset) {
  std::vector<std::string> warnings;
  auto config = pbtxt(R"(
    runtime: "onnxruntime"
    input { name: "x" data_type: TYPE_FP32 dims: [ 2, 3 ] reshape { shape: [ 6 ] } optional: true
            format: FORMAT_NCHW allow_ragged_batch: false }
    dynamic_batching { preserve_ordering: true priority_levels: 3 default_priority_level: 2
      default_queue_policy { timeout_action: DELAY allow_timeout_override: false }
      priority_queue_policy { key: 1 value { max_queue_size: 5 } }
      priority_queue_policy [ { key: 3 value { timeout_action: REJECT } } ] }
    optimization { graph { level: 1 } execution_accelerators {
      cpu_execution_accelerator [ { name: "openvino" parameters { key: "device" value: "CPU" } } ] } }
    model_warmup [ { name: "w" batch_size: 2 count: 3 inputs { key: "x"
      value { data_type: TYPE_FP32 dims: [ 2, 3 ] input_data_file: "raw" } } } ]
    metric_tags { key: "team" value: "a" }
    response_cache { enable: true }
    model_transaction_policy { decoupled: false }
  )",
                      &warnings);
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_THAT(*config->inputs[0].reshape, ElementsAre(6));
  EXPECT_TRUE(config->inputs[0].optional);
  EXPECT_TRUE(config->batching.preserve_order);
  EXPECT_EQ(config->batching.default_priority, 2U);
  EXPECT_TRUE(config->batching.queue.delay_on_timeout);
  EXPECT_FALSE(config->batching.queue.allow_timeout_override);
  EXPECT_EQ(config->batching.level_queues.at(1).max_size, 5U);
  EXPECT_EQ(config->accelerators[0],
            (Accelerator{.name = "openvino", .options = {{"device", "CPU"}}}));
  EXPECT_EQ(config->warmups[0].inputs.at("x").file, "raw");
  EXPECT_EQ(config->warmups[0].count, 3U);
  EXPECT_EQ(config->metric_tags.at("team"), "a");
  EXPECT_TRUE(config->cache.enabled);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("'format' is accepted"), HasSubstr("ragged"),
                                    HasSubstr("'graph' is accepted")));
  EXPECT_EQ(pbtxt("model_transaction_policy { decoupled: true }").error().code(),
            Code::Unsupported);
  EXPECT_THAT(pbtxt("dynamic_batching { default_priority_level: 2 }").error().message(),
              HasSubstr("above priority_levels"));
}

TEST(ConfigJson, HasTheFieldsOfTheTextAndMoreForms) {
  ModelConfig config{.name = "m"};
  std::vector<std::string> warnings;
  auto read = read_config_json(R"({"max_batch_size": "16", "instanceGroup": [{"count": "2"}],
    "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["3", -1], "optional": "true"}],
    "parameters": {"key": {"string_value": "7"}}, "version_policy": {"all": {}},
    "dynamic_batching": {"priority_levels": 1, "priority_queue_policy": {"1": {"max_queue_size": 4}}},
    "runtime": null})",
                               "config", config, warnings);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(config.max_batch(), 16);
  EXPECT_EQ(config.instances, 2);
  EXPECT_THAT(config.inputs[0].dims, ElementsAre(3, -1));
  EXPECT_TRUE(config.inputs[0].optional);
  EXPECT_EQ(config.parameters.at("key"), "7");
  EXPECT_EQ(config.versions.kind, VersionPolicy::Kind::All);
  EXPECT_EQ(config.batching.level_queues.at(1).max_size, 4U);
  ModelConfig again{.name = "m"};
  ASSERT_TRUE(read_config_json(to_json(config), "config", again, warnings));
  EXPECT_EQ(again.inputs, config.inputs);
  EXPECT_EQ(again.batching, config.batching);
}

TEST(ConfigJson, PointsAtTheMistakeAndSuggests) {
  const auto message = [](std::string_view text) {
    ModelConfig config{.name = "m"};
    std::vector<std::string> warnings;
    auto read = read_config_json(text, "config", config, warnings);
    return read ? "accepted" : read.error().message();
  };
  EXPECT_EQ(message("{\n  \"maxBatch\": 8}"),
            "config:2:15: unknown field 'maxBatch' in the model configuration");
  EXPECT_THAT(message(R"({"max_batchsize": 8})"), HasSubstr("did you mean 'max_batch_size'?"));
  EXPECT_THAT(message(R"({"max_batch_size": "many"})"), HasSubstr("takes an integer"));
  EXPECT_THAT(message("[]"), HasSubstr("config:1:1: a JSON object is expected"));
  EXPECT_THAT(message("{\"name\": \"m\"} {}"), HasSubstr("something follows"));
  EXPECT_THAT(message("{\"name\": "), HasSubstr("not valid JSON"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{\"input\":";
  EXPECT_THAT(message(deep + "1" + std::string(100, '}')), HasSubstr("nested deeper than 32"));
}

TEST(ModelYaml, OverlaysKeyByKey) {
  auto base = pbtxt("max_batch_size: 4 output { name: \"y\" data_type: TYPE_FP32 dims: 3 }");
  auto config = yaml(
      "max_batch: 32\nversions: {only: [1, 3]}\ninstances: auto\nthreads: 2\n"
      "batching: {mode: off}\nqueue: {max: 9, timeout: 250ms}\nrequired: true\n"
      "outputs: [{name: y, labels: labels.txt}]\n",
      *base);
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->max_batch(), 32);
  EXPECT_THAT(config->versions.specific, ElementsAre(1, 3));
  EXPECT_EQ(config->threads, 2);
  EXPECT_EQ(config->batching.queue.timeout, Micros{Millis{250}});
  EXPECT_TRUE(config->required);
  ASSERT_THAT(config->outputs, SizeIs(1));
  EXPECT_EQ(config->outputs[0].label_filename, "labels.txt");
  EXPECT_THAT(config->outputs[0].dims, ElementsAre(3));
}

TEST(ModelYaml, KnowsEveryKeyOfTheReference) {
  auto config = yaml(
      "backend: native\ninputs: [{name: x, dtype: FP32, shape: [64]}]\n"
      "queue: {max: auto, timeout: 0ms, on_timeout: delay}\npriorities: {levels: 3, default: 2}\n"
      "memory: 200MiB\nidle_unload: 10m\nswap: stop_first\n"
      "accelerators: [{ep: openvino, options: {device: CPU}}]\ngolden: {tolerance: 1e-4}\n"
      "cache: {enabled: true, ttl: 5s}\nbatching: {mode: auto, max_delay: 0us}\n");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_TRUE(config->batching.queue.delay_on_timeout);
  EXPECT_EQ(config->batching.priority_levels, 3U);
  EXPECT_EQ(config->memory, 200U << 20);
  EXPECT_EQ(config->idle_unload, Micros{Seconds{600}});
  EXPECT_TRUE(config->stop_first);
  EXPECT_EQ(config->accelerators[0].options.at("device"), "CPU");
  EXPECT_DOUBLE_EQ(config->golden_tolerance, 1e-4);
  EXPECT_EQ(config->cache.ttl, Micros{Seconds{5}});
  EXPECT_FALSE(yaml("idle_unload: never\n", *config)->idle_unload);
}

TEST(ModelYaml, PointsAtTheMistakeAndSuggests) {
  const auto message = [](std::string_view text) {
    const auto config = yaml(text);
    return config ? "accepted" : config.error().message();
  };
  EXPECT_EQ(message("instances: 1\nmaxbatch: 8\n"),
            "model.yaml:2:1: unknown key 'maxbatch' in model.yaml; did you mean 'max_batch'?");
  EXPECT_THAT(message("queue: {timeout: 5}\n"), HasSubstr("takes a duration"));
  EXPECT_THAT(message("memory: 3QB\n"), HasSubstr("takes a size"));
  EXPECT_THAT(message("swap: stopfirst\n"), HasSubstr("did you mean 'stop_first'?"));
  EXPECT_THAT(message("golden: {tolerance: nan}\n"), HasSubstr("takes a number from 0"));
  EXPECT_THAT(message("priorities: {levels: 1, default: 2}\n"), HasSubstr("above levels"));
  EXPECT_THAT(message("max_batch: [1\n"), HasSubstr("model.yaml:"));
  EXPECT_THAT(message("- a\n"), HasSubstr("takes keys and values"));
}

TEST(Repository, VersionPolicyChoosesTheFolders) {
  TempRepository repository;
  for (const int version : {1, 2, 10}) repository.add("m", "linear", version);
  std::filesystem::create_directories(repository.root() / "m" / "03");
  const Repository reader(repository.root());
  auto latest = reader.read("m");
  ASSERT_TRUE(latest.has_value()) << latest.error().message();
  EXPECT_THAT(latest->files, SizeIs(1));
  EXPECT_EQ(latest->files.begin()->first, 10);
  EXPECT_THAT(latest->warnings, ElementsAre(HasSubstr("03 is no version")));
  repository.write("m/model.yaml", "versions: {latest: 2}");
  EXPECT_THAT(reader.read("m")->files, SizeIs(2));
  repository.write("m/model.yaml", "versions: all");
  EXPECT_THAT(reader.read("m")->files, SizeIs(3));
  repository.write("m/model.yaml", "versions: {only: [7]}");
  EXPECT_EQ(reader.read("m").error().code(), Code::NotFound);
}

TEST(Repository, RefusesNamesThatLeaveIt) {
  TempRepository repository;
  const Repository reader(repository.root());
  for (const auto* name : {"..", "a/b", "", ".hidden", "stats"}) {
    EXPECT_EQ(reader.read(name).error().code(), Code::NotFound) << name;
  }
  repository.add("m", "linear");
  repository.write("m/config.pbtxt",
                   "output { name: \"y\" data_type: TYPE_FP32 dims: 1 "
                   "label_filename: \"../../etc/passwd\" }");
  EXPECT_EQ(reader.read("m").error().code(), Code::Invalid);
}

TEST(Repository, OtherRuntimesAreSentToOnnx) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/config.pbtxt", "platform: \"tensorrt_plan\"");
  auto read = Repository(repository.root()).read("m");
  EXPECT_EQ(read.error().code(), Code::Unsupported);
  EXPECT_THAT(read.error().message(), HasSubstr("ONNX"));
}

TEST(Repository, TheFileTellsTheRuntime) {
  TempRepository repository;
  const auto settled = [&](const char* model) {
    auto read = Repository(repository.root()).read(model);
    EXPECT_TRUE(read.has_value()) << read.error().message();
    if (!read) return std::string{};
    return read->config.backend + " " + read->config.platform + " " +
           read->files.begin()->second.filename().string();
  };
  repository.add("onnx", "linear");
  EXPECT_EQ(settled("onnx"), "onnxruntime onnxruntime_onnx model.onnx");
  repository.write("ir/1/model.xml", "");
  repository.write("ir/1/model.bin", "");
  EXPECT_EQ(settled("ir"), "openvino openvino model.xml");
  repository.write("own/2/native.json", "{}");
  EXPECT_EQ(settled("own"), "native native native.json");
  repository.add("chosen", "linear");
  repository.write("chosen/model.yaml", "backend: openvino");
  EXPECT_EQ(settled("chosen"), "openvino openvino model.onnx");
  repository.write("named/1/tree.json", "{}");
  repository.write("named/config.pbtxt", "default_model_filename: \"tree.json\"");
  EXPECT_EQ(settled("named"), "native native tree.json");
  repository.write("plugged/1/weights.bin", "");
  repository.write("plugged/model.yaml", "backend: acme");
  EXPECT_EQ(settled("plugged"), "acme  weights.bin");
  repository.write("plugged/1/more.bin", "");
  EXPECT_THAT(Repository(repository.root()).read("plugged").error().message(),
              HasSubstr("holds 2 files: say which one"));
}

TEST(ModelConfig, IsCompletedFromTheModel) {
  onnx::Backend backend;
  auto model = backend.load(testing::model_file("add_sub"), {});
  ASSERT_TRUE(model.has_value()) << model.error().describe();
  ModelConfig config{.name = "m"};
  ASSERT_TRUE(complete(config, **model));
  EXPECT_EQ(config.max_batch(), 8);
  EXPECT_TRUE(config.batching.enabled);
  EXPECT_THAT(config.inputs[0].dims, ElementsAre(16));
  EXPECT_THAT(to_json(config), HasSubstr("\"data_type\":\"TYPE_INT32\""));
  ModelConfig wrong{.name = "m"};
  wrong.inputs.push_back({.name = "INPUT_0", .type = DataType::Int32, .dims = {16}});
  EXPECT_THAT(complete(wrong, **model).error().message(), HasSubstr("did you mean 'INPUT0'"));
  auto fixed = backend.load(testing::model_file("static_add"), {});
  ModelConfig batched{.name = "m", .max_batch_size = 4};
  EXPECT_EQ(complete(batched, **fixed).error().code(), Code::Invalid);
}

TEST(CostModel, BatchesOnlyWhereItPays) {
  CostModel flat(4);
  for (const int b : flat.sizes()) flat.measured(b, std::chrono::microseconds{100 * b});
  EXPECT_EQ(flat.best(), 1);
  CostModel gain(32);
  EXPECT_EQ(gain.best(), 1);  // Unknown yet.
  for (const int b : gain.sizes()) gain.measured(b, std::chrono::microseconds{100 + b});
  EXPECT_EQ(gain.best(), 32);
  EXPECT_EQ(gain.of(3), std::chrono::microseconds{104});
}

}  // namespace
}  // namespace infiniedge::model
