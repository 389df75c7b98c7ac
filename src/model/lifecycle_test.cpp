// SPDX-License-Identifier: Apache-2.0
// Loading, swapping and going back, with the real runtime.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using testing::floats_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempRepository;
using testing::tensor_of;

InferRequest row(float first, float second) {
  InferRequest request{.model = "m"};
  request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {1, 2}, {first, second}));
  return request;
}

/// 2·first + 3·second of `linear`; −1 for an error.
float ask(Bench& bench, float first = 1, float second = 2) {
  auto response = bench.run(bench.server.infer(row(first, second)));
  return response ? floats_of(response->outputs[0])[0] : -1;
}

IndexEntry entry_of(Bench& bench, std::int64_t version) {
  const auto index = bench.run(bench.server.index(false));
  for (const auto& entry : *index) {
    if (entry.name == "m" && entry.version == version) return entry;
  }
  return {};
}

bool measured(Bench& bench) {
  return bench.until([&] { return (*bench.server.find("m"))->measured(); });
}

std::string model_bytes(const std::string& name) {
  std::ifstream file(testing::model_file(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t loads(Bench& bench, const char* result) {
  return bench.metrics
      .counter("infiniedge_model_load_total", "", {{"model", "m"}, {"result", result}})
      .value();
}

TEST(Lifecycle, AnUnsupportedOperatorLeavesTheOldServing) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "unknown_operator", 2);
  auto loaded = bench.run(bench.server.load("m"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().describe(), HasSubstr("NoSuchOperator"));
  EXPECT_EQ(ask(bench), 8);
  EXPECT_EQ(entry_of(bench, 1).state, State::Ready);
  EXPECT_EQ(entry_of(bench, 2).state, State::Unavailable);
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("NoSuchOperator"));
  EXPECT_EQ(loads(bench, "failed"), 1U);
  EXPECT_EQ(loads(bench, "ok"), 1U);
}

TEST(Lifecycle, AHalfWrittenVersionLeavesTheOldServing) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  std::filesystem::create_directories(repository.root() / "m" / "2");
  EXPECT_FALSE(bench.run(bench.server.load("m")).has_value());
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("does not exist"));
  repository.write("m/2/model.onnx", model_bytes("linear").substr(0, 60));
  EXPECT_FALSE(bench.run(bench.server.load("m")).has_value());
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("cannot be loaded"));
  EXPECT_EQ(ask(bench), 8);
  repository.write("m/2/model.onnx", model_bytes("linear"));
  EXPECT_TRUE(bench.run(bench.server.load("m")).has_value());
  EXPECT_EQ((*bench.server.find("m"))->version(), 2);
  EXPECT_EQ(entry_of(bench, 2).reason, "");
}

TEST(Lifecycle, AFirstLoadFallsBackToTheNewestVersionThatLoads) {
  TempRepository repository;
  repository.add("m", "linear", 1);
  repository.add("m", "linear", 2);
  repository.write("m/3/model.onnx", "broken");
  Bench bench(repository.root());
  EXPECT_FALSE(bench.run(bench.server.load("m")).has_value());
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(2));
  EXPECT_EQ(ask(bench), 8);
  EXPECT_EQ(entry_of(bench, 3).state, State::Unavailable);
}

TEST(Lifecycle, AConfigurationOfAClientLastsUntilTheNextLoad) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/model.yaml", "max_batch: 2\n");
  Bench bench(repository.root());
  LoadOverride given;
  given.config = R"({"max_batch_size": "4", "instance_group": [{"count": 2}]})";
  ASSERT_TRUE(bench.run(bench.server.load("m", given)));
  EXPECT_EQ((*bench.server.find("m"))->config().max_batch(), 4);
  EXPECT_EQ((*bench.server.find("m"))->instances(), 2U);
  EXPECT_FALSE(bench.server.follows_disk("m"));
  given.config = R"({"max_batchsize": 4})";
  auto wrong = bench.run(bench.server.load("m", given));
  EXPECT_THAT(wrong.error().describe(), HasSubstr("did you mean 'max_batch_size'?"));
  EXPECT_EQ((*bench.server.find("m"))->config().max_batch(), 4);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ((*bench.server.find("m"))->config().max_batch(), 2);
  EXPECT_TRUE(bench.server.follows_disk("m"));
}

TEST(Lifecycle, FilesOfAClientAreServedAndGoneAfterwards) {
  TempRepository repository, staging;
  Bench bench(Server::Options{.repository = repository.root(), .staging = staging.root()});
  LoadOverride given;
  given.files["7/model.onnx"] = model_bytes("linear");
  given.files["labels.txt"] = "one\n";
  EXPECT_THAT(bench.run(bench.server.load("m", given)).error().describe(),
              HasSubstr("need a 'config' parameter"));
  given.config = "{}";
  ASSERT_TRUE(bench.run(bench.server.load("m", given)));
  EXPECT_EQ(ask(bench), 8);
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(7));
  EXPECT_THAT((*bench.server.find("m"))->config().classes, ElementsAre("one"));
  EXPECT_FALSE(std::filesystem::is_empty(staging.root()));
  ASSERT_TRUE(bench.run(bench.server.unload("m")));
  EXPECT_TRUE(std::filesystem::is_empty(staging.root()));
}

TEST(Lifecycle, FilesOfAClientNeverLeaveTheirFolder) {
  TempRepository repository, staging;
  Bench bench(Server::Options{.repository = repository.root(), .staging = staging.root()});
  for (const auto* path : {"../1/model.onnx", "1/../../x", "/etc/passwd", "1//x", "1/", "", ".",
                           "1/a b", "1/2/3/4/5/6/7/8/9"}) {
    LoadOverride given{.config = "{}", .files = {{path, "x"}}};
    auto loaded = bench.run(bench.server.load("m", given));
    ASSERT_FALSE(loaded.has_value()) << path;
    EXPECT_EQ(loaded.error().code(), Code::Invalid) << path;
  }
  LoadOverride given{.config = "{}", .files = {{"1/model.onnx", "x"}}};
  EXPECT_EQ(bench.run(bench.server.load("../m", given)).error().code(), Code::Invalid);
  EXPECT_TRUE(std::filesystem::is_empty(staging.root()));
}

/// `golden/` of these tests: two numbers in the request, one in the response.
Result<GoldenCase> read_plain(const ModelConfig&, std::string request, std::string response) {
  float first = 0, second = 0, answer = 0;
  (void)std::sscanf(request.c_str(), "%f %f", &first, &second);
  (void)std::sscanf(response.c_str(), "%f", &answer);
  return GoldenCase{.request = row(first, second),
                    .expected = {tensor_of<float>("y", DataType::Fp32, {1, 1}, {answer})}};
}

TEST(Lifecycle, AVersionThatFailsItsGoldenCasesIsNotServed) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/golden/a.request.json", "1 2");
  repository.write("m/golden/a.response.json", "8.005");
  repository.write("m/model.yaml", "golden: {tolerance: 1e-3}\n");
  Bench bench(Server::Options{.repository = repository.root(), .golden = read_plain});
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.write("m/golden/b.request.json", "1 2");
  repository.write("m/golden/b.response.json", "8.01");
  repository.add("m", "linear", 2);
  auto loaded = bench.run(bench.server.load("m"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().describe(),
              HasSubstr("golden case 'b': output 'y': element 0 is 8, expected 8.01"));
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(1));
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("golden case 'b'"));
  repository.remove("m/golden/b.response.json");
  EXPECT_THAT(bench.run(bench.server.load("m")).error().describe(), HasSubstr("is not there"));
}

TEST(Lifecycle, WarmsUpWithWhatTheConfigurationSays) {
  TempRepository repository;
  repository.add("m", "linear");
  const std::string tensor =
      "max_batch_size: 4 model_warmup { name: \"w\" batch_size: 1 count: 2 inputs { key: \"x\" "
      "value { data_type: TYPE_FP32 dims: 2 ";
  Bench bench(repository.root());
  const auto load = [&](const std::string& data) {
    repository.write("m/config.pbtxt", tensor + data + " } } }");
    auto loaded = bench.run(bench.server.load("m"));
    return loaded ? std::string{"loaded"} : loaded.error().describe();
  };
  EXPECT_EQ(load("random_data: true"), "loaded");
  EXPECT_THAT(load("input_data_file: \"../x\""), HasSubstr("must lie in the model's warmup/"));
  EXPECT_THAT(load("input_data_file: \"x\""), HasSubstr("cannot be read"));
  repository.write("m/warmup/x", "1234567");
  EXPECT_THAT(load("input_data_file: \"x\""), HasSubstr("has 7 bytes"));
  repository.write("m/warmup/x", "12345678");
  EXPECT_EQ(load("input_data_file: \"x\""), "loaded");
  repository.add("m", "fragile");
  const float bad[2] = {9, 1};
  repository.write("m/warmup/x", {reinterpret_cast<const char*>(bad), 8});
  EXPECT_THAT(load("input_data_file: \"x\""), HasSubstr("warm-up 'w' failed"));
  EXPECT_EQ(ask(bench), 8);
}

TEST(Lifecycle, ReshapesBetweenClientAndModel) {
  TempRepository repository;
  repository.add("m", "static_add");
  repository.write("m/config.pbtxt",
                   "max_batch_size: 0 input { name: \"x\" data_type: TYPE_FP32 dims: 3 reshape { "
                   "shape: [1, 3] } } output { name: \"y\" data_type: TYPE_FP32 dims: [3, 1] "
                   "reshape { shape: [1, 3] } }");
  Bench bench(repository.root());
  auto loaded = bench.run(bench.server.load("m"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  InferRequest request{.model = "m"};
  request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {3}, {1, 1, 1}));
  auto response = bench.run(bench.server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_THAT(response->outputs[0].shape, ElementsAre(3, 1));
  EXPECT_THAT(floats_of(response->outputs[0]), ElementsAre(2, 3, 4));
  repository.write("m/config.pbtxt",
                   "max_batch_size: 0 input { name: \"x\" data_type: TYPE_FP32 dims: 4 reshape { "
                   "shape: [1, 3] } }");
  EXPECT_THAT(bench.run(bench.server.load("m")).error().describe(),
              HasSubstr("cannot be reshaped"));
}

TEST(Probation, AVersionThatFailsMoreGoesBack) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  std::string told;
  bench.server.on_rolled_back(
      [&](const auto& model, const auto& why) { told = model + ": " + why; });
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(bench, 100, 0), 200);
  repository.add("m", "fragile", 2);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ((*bench.server.find("m"))->version(), 2);
  EXPECT_EQ(entry_of(bench, 1).state, State::Unloading);
  EXPECT_EQ(ask(bench, 100, 0), -1);  // One may fail for its own reasons.
  EXPECT_EQ((*bench.server.find("m"))->version(), 2);
  EXPECT_EQ(ask(bench, 100, 0), -1);
  EXPECT_EQ((*bench.server.find("m"))->version(), 1);
  EXPECT_EQ(ask(bench, 100, 0), 200);
  EXPECT_EQ(entry_of(bench, 1).state, State::Ready);
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("rolled back: 2 of 2 requests failed"));
  EXPECT_EQ(entry_of(bench, 2).state, State::Unavailable);
  EXPECT_EQ(loads(bench, "rolled_back"), 1U);
  EXPECT_THAT(told, HasSubstr("m: 2 of 2 requests failed"));
}

TEST(Probation, AReloadOfOneVersionGoesBackToo) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "fragile");
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(bench, 100, 0), -1);
  EXPECT_EQ(ask(bench, 100, 0), 200);
  EXPECT_EQ(entry_of(bench, 1).state, State::Ready);
  EXPECT_THAT(entry_of(bench, 1).reason, HasSubstr("rolled back"));
}

TEST(Probation, EndsAfterAMinuteOrAHundredRequests) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "linear", 2);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ(entry_of(bench, 1).state, State::Unloading);
  EXPECT_EQ(ask(bench), 8);
  bench.clock.advance(Seconds{60});
  EXPECT_TRUE(bench.until([&] { return entry_of(bench, 1).state == State::Unavailable; }));
  repository.add("m", "fragile", 3);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  ASSERT_TRUE(measured(bench));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(bench), 8);
  EXPECT_TRUE(bench.until([&] { return entry_of(bench, 2).state == State::Unavailable; }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(bench, 100, 0), -1);  // It stays, once accepted.
  EXPECT_EQ((*bench.server.find("m"))->version(), 3);
}

TEST(Probation, FailuresOfAQuietMinuteCountByTheirShare) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "fragile", 2);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ(ask(bench, 100, 0), -1);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(ask(bench), 8);
  bench.clock.advance(Seconds{60});
  EXPECT_TRUE(bench.until([&] { return (*bench.server.find("m"))->version() == 1; }));
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("1 of 10 requests failed"));
}

TEST(Probation, JudgesSlownessByThreeTimesTheOldP99) {
  const Probation probation;
  TrackRecord old, fresh;
  for (int i = 0; i < 200; ++i) {
    old.note(false, {});
    old.took(Micros{1000 + i});
  }
  EXPECT_EQ(old.p99(), Micros{1197});
  for (int i = 0; i < 98; ++i) fresh.took(Micros{1000});
  fresh.took(Micros{90'000});
  EXPECT_FALSE(probation.verdict(old, fresh, true));  // One of a hundred is no p99.
  fresh.took(Micros{3592});
  EXPECT_THAT(probation.verdict(old, fresh, false).value_or(""),
              HasSubstr("took up to 3592 us, 1197 us"));
  TrackRecord quick;
  for (int i = 0; i < 100; ++i) quick.took(Micros{900});
  TrackRecord before;
  for (int i = 0; i < 100; ++i) before.took(Micros{10});
  EXPECT_FALSE(probation.verdict(before, quick, true));  // Below a millisecond nobody notices.
  TrackRecord few;
  for (int i = 0; i < 19; ++i) few.took(Micros{90'000});
  EXPECT_FALSE(probation.verdict(old, few, true));
}

TEST(Room, TwoCopiesThatDoNotFitAreRefused) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/model.yaml", "memory: 60MiB\n");
  Bench bench(Server::Options{.repository = repository.root(), .memory = 100U << 20});
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ(bench.server.memory().used(), 60U << 20);
  auto again = bench.run(bench.server.load("m"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code(), Code::Exhausted);
  EXPECT_THAT(again.error().describe(), HasSubstr("swap: stop_first"));
  EXPECT_EQ(ask(bench), 8);
}

TEST(Room, StopFirstReplacesWhatDoesNotFitTwice) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/model.yaml", "memory: 60MiB\nswap: stop_first\n");
  Bench bench(Server::Options{.repository = repository.root(), .memory = 100U << 20});
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  repository.add("m", "linear", 2);
  auto loaded = bench.run(bench.server.load("m"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(2));
  repository.write("m/3/model.onnx", "broken");
  EXPECT_FALSE(bench.run(bench.server.load("m")).has_value());
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(2));  // Loaded again.
  EXPECT_EQ(ask(bench), 8);
}

TEST(Room, TheModelUsedLongestAgoMakesRoomAndReturns) {
  TempRepository repository;
  for (const auto* name : {"m", "n", "o"}) {
    repository.add(name, "linear");
    repository.write(std::string{name} + "/model.yaml", "memory: 40MiB\n");
  }
  Bench bench(Server::Options{.repository = repository.root(), .memory = 100U << 20});
  ASSERT_TRUE(bench.run(bench.server.load("n")));
  bench.clock.advance(Seconds{1});
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  bench.clock.advance(Seconds{1});
  auto request = row(1, 2);
  request.model = "n";
  ASSERT_TRUE(bench.run(bench.server.infer(std::move(request))));
  ASSERT_TRUE(bench.run(bench.server.load("o")));
  EXPECT_THAT(bench.server.ready_versions("m"), IsEmpty());
  EXPECT_THAT(bench.server.ready_versions("n"), ElementsAre(1));
  EXPECT_THAT(entry_of(bench, 1).reason, HasSubstr("make room for 'o'"));
  EXPECT_EQ(ask(bench), 8);  // Loads it again, in place of another.
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(1));
  EXPECT_THAT(bench.server.ready_versions("n"), IsEmpty());
}

TEST(Room, AnIdleModelLeavesAndReturnsWithTheNextRequest) {
  TempRepository repository;
  repository.add("m", "linear");
  repository.write("m/model.yaml", "idle_unload: 10m\nrequired: true\n");
  Bench bench(repository.root());
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  bench.clock.advance(Seconds{599});
  EXPECT_EQ(ask(bench), 8);
  bench.clock.advance(Seconds{599});
  bench.until([&, i = 0]() mutable { return ++i > 5; });
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(1));
  bench.clock.advance(Seconds{2});
  EXPECT_TRUE(bench.until([&] { return bench.server.ready_versions("m").empty(); }));
  EXPECT_TRUE(bench.server.ready());
  EXPECT_THAT(entry_of(bench, 1).reason, HasSubstr("the next request loads it"));
  EXPECT_EQ(ask(bench), 8);
}

/// Says of version 2 that it killed the process that tried it.
class LethalTrial final : public Trial {
 public:
  Result<TrialReport> run(const ModelDefinition& definition) override {
    ++runs;
    if (definition.files.contains(2)) return Error{Code::Corrupt, "killed by signal 6 (Aborted)"};
    return TrialReport{.memory = 5U << 20};
  }
  int runs = 0;
};

TEST(Lifecycle, AModelThatKillsItsTrialIsNotLoadedHere) {
  TempRepository repository;
  repository.add("m", "linear");
  LethalTrial trial;
  Bench bench(Server::Options{.repository = repository.root(), .trial = &trial});
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ(trial.runs, 0);  // Nothing served that could be lost.
  repository.add("m", "linear", 2);
  auto loaded = bench.run(bench.server.load("m"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(bench.server.ready_versions("m"), ElementsAre(1));
  EXPECT_THAT(entry_of(bench, 2).reason, HasSubstr("killed by signal 6"));
  EXPECT_EQ(ask(bench), 8);
  repository.add("m", "linear", 3);
  ASSERT_TRUE(bench.run(bench.server.load("m")));
  EXPECT_EQ((*bench.server.find("m"))->memory(), 5U << 20);
  EXPECT_EQ(trial.runs, 2);
}

}  // namespace
}  // namespace infiniedge::model
