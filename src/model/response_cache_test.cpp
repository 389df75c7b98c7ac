// SPDX-License-Identifier: Apache-2.0
#include "model/response_cache.hpp"

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

CheckedRequest of(std::vector<Tensor> inputs, std::vector<std::size_t> outputs = {}) {
  return {.inputs = std::move(inputs), .outputs = std::move(outputs)};
}

std::vector<Tensor> answer(std::size_t bytes) {
  return {tensor_of<char>("y", DataType::Int8, {static_cast<std::int64_t>(bytes)},
                          std::vector<char>(bytes, 'x'))};
}

struct Cache {
  runtime::SeededEntropy entropy{1};
  ResponseCache cache{4096, entropy};
  Instant now{Seconds{1}};
};

TEST(ResponseCache, KeyTellsRequestsApart) {
  Cache c;
  const auto x = tensor_of<float>("x", DataType::Fp32, {2}, {1, 2});
  const auto y = tensor_of<float>("y", DataType::Fp32, {2}, {3, 4});
  const auto key = c.cache.key("m", 1, of({x, y}));
  EXPECT_EQ(c.cache.key("m", 1, of({y, x})), key);  // The order says nothing.
  EXPECT_NE(c.cache.key("m", 2, of({x, y})), key);
  EXPECT_NE(c.cache.key("n", 1, of({x, y})), key);
  EXPECT_NE(c.cache.key("m", 1, of({x, y}, {0})), key);
  EXPECT_NE(c.cache.key("m", 1, of({x, y}, {0})), c.cache.key("m", 1, of({x, y}, {1})));
  auto other = y;
  other.shape = {2, 1};
  EXPECT_NE(c.cache.key("m", 1, of({x, other})), key);
  other = y;
  other.type = DataType::Int32;
  EXPECT_NE(c.cache.key("m", 1, of({x, other})), key);
  EXPECT_NE(c.cache.key("m", 1, of({x, tensor_of<float>("y", DataType::Fp32, {2}, {3, 5})})), key);
}

TEST(ResponseCache, ForgetsTheLeastRecentlyUsed) {
  Cache c;
  for (std::uint64_t i = 0; i < 3; ++i) c.cache.put({i, 0}, "m", answer(800), c.now + Seconds{9});
  ASSERT_EQ(c.cache.size(), 3U);
  EXPECT_TRUE(c.cache.find({0, 0}, c.now));
  c.cache.put({3, 0}, "m", answer(800), c.now + Seconds{9});
  EXPECT_FALSE(c.cache.find({1, 0}, c.now));
  EXPECT_TRUE(c.cache.find({0, 0}, c.now));
  EXPECT_LE(c.cache.bytes(), 4096U);
  c.cache.put({4, 0}, "m", answer(9000), c.now + Seconds{9});  // Larger than everything.
  EXPECT_FALSE(c.cache.find({4, 0}, c.now));
  EXPECT_EQ(c.cache.size(), 3U);
}

TEST(ResponseCache, ForgetsWhatIsTooOldAndWhatWasFlushed) {
  Cache c;
  c.cache.put({1, 0}, "m", answer(8), c.now + Seconds{1});
  c.cache.put({2, 0}, "n", answer(8), c.now + Seconds{5});
  EXPECT_TRUE(c.cache.find({1, 0}, c.now + Millis{999}));
  EXPECT_FALSE(c.cache.find({1, 0}, c.now + Seconds{1}));
  c.cache.flush("m");
  EXPECT_TRUE(c.cache.find({2, 0}, c.now));
  c.cache.flush("n");
  EXPECT_EQ(c.cache.bytes(), 0U);
}

struct Cached {
  Cached() {
    repository.add("m", "linear");
    repository.write("m/model.yaml", "cache: {enabled: true, ttl: 10s}\n");
    bench.emplace(repository.root());
    EXPECT_TRUE(bench->run(bench->server.load("m")));
  }
  float send(float a, float b) {
    InferRequest request{.model = "m", .inputs = {}};
    request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {1, 2}, {a, b}));
    auto response = bench->run(bench->server.infer(std::move(request)));
    EXPECT_TRUE(response.has_value()) << response.error().describe();
    return response ? testing::floats_of(response->outputs[0])[0] : -1;
  }
  const Statistics& statistics() { return (*bench->server.find("m"))->statistics(); }
  TempRepository repository;
  std::optional<Bench> bench;
};

TEST(ResponseCache, HitIsAnsweredWithoutExecuting) {
  Cached models;
  EXPECT_EQ(models.send(1, 2), 8);
  EXPECT_EQ(models.send(1, 2), 8);
  EXPECT_EQ(models.send(1, 2), 8);
  EXPECT_EQ(models.send(2, 1), 7);
  const auto& s = models.statistics();
  EXPECT_EQ(s.success.count, 4U);
  EXPECT_EQ(s.queue.count, 4U);
  EXPECT_EQ(s.executions, 2U);
  EXPECT_EQ(s.inferences, 2U);
  EXPECT_EQ(s.compute_infer.count, 2U);
  EXPECT_EQ(s.cache_hit.count, 2U);
  EXPECT_EQ(s.cache_miss.count, 2U);
  const auto text = models.bench->metrics.text();
  EXPECT_THAT(text, HasSubstr("nv_cache_num_hits_per_model{model=\"m\",version=\"1\"} 2"));
  EXPECT_THAT(text, HasSubstr("nv_cache_num_misses_per_model{model=\"m\",version=\"1\"} 2"));
}

TEST(ResponseCache, AnswersLiveAsLongAsTheModelSays) {
  Cached models;
  models.send(1, 2);
  models.bench->clock.advance(Seconds{11});
  models.send(1, 2);
  EXPECT_EQ(models.statistics().executions, 2U);
}

TEST(ResponseCache, SwapFlushesWhatTheOldSaid) {
  Cached models;
  models.send(1, 2);
  ASSERT_TRUE(models.bench->run(models.bench->server.load("m")));
  models.send(1, 2);
  EXPECT_EQ(models.statistics().cache_hit.count, 0U);
  EXPECT_EQ(models.statistics().executions, 1U);
}

}  // namespace
}  // namespace infiniedge::model
