// SPDX-License-Identifier: Apache-2.0
#include "stream/engine.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "runtime/testing/sim_clock.hpp"
#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::machine;
using testing::make_batch;
using testing::Row;

/// Answers "hot" above 10 and "cold" below; waits until the test lets it.
class FakePredictor final : public Predictor {
 public:
  explicit FakePredictor(Clock& clock) : clock_(clock) {}
  Result<std::size_t> width(const std::string& model) const override {
    if (model == "missing") return Error{Code::NotFound, "no such model"};
    return model == "two" ? std::size_t{2} : std::size_t{0};
  }
  Task<Result<std::vector<Prediction>>> predict(const std::string& model,
                                                std::vector<Sample> samples) override {
    const auto call = calls++;
    sizes.push_back(samples.size());
    running = std::max(running, ++now_running_);
    // Later calls are faster: order must be restored.
    const auto slept = co_await clock_.sleep_for(Millis{100 - 10 * static_cast<int>(call % 8)});
    --now_running_;
    if (!slept) co_return slept.error();
    if (model == "broken") co_return Error{Code::Unavailable, "it is down"};
    std::vector<Prediction> out;
    for (const auto& sample : samples) {
      features.push_back(sample.features);
      out.push_back({.label = sample.features[0] > 10 ? "hot" : "cold",
                     .score = 0.9,
                     .route = Route::Teacher});
    }
    co_return out;
  }

  std::size_t calls = 0, running = 0;
  std::vector<std::size_t> sizes;
  std::vector<std::vector<float>> features;

 private:
  Clock& clock_;
  std::size_t now_running_ = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() : clock_(testing::at(0)), predictor_(clock_), schemas_({machine()}) {
    engine_ =
        std::make_unique<Engine>(context_.get_executor(), clock_, schemas_, &predictor_,
                                 [this](const std::string& stream, Batch batch) {
                                   for (const auto& line : testing::lines(batch))
                                     out_.push_back(stream + ": " + line);
                                   engine_->push(std::make_shared<const Batch>(std::move(batch)));
                                 });
  }
  ~EngineTest() override {
    struct Closing {
      static Task<void> run(Engine& engine, bool& done) {
        co_await engine.close();
        done = true;
      }
    };
    bool done = false;
    boost::asio::co_spawn(context_, Closing::run(*engine_, done), boost::asio::detached);
    while (!done) pass(Millis{10});
  }

  std::vector<std::string> put(std::string name, std::string sql) {
    auto made =
        engine_->put({.name = std::move(name), .sql = std::move(sql), .lateness = Micros{0}});
    std::vector<std::string> faults;
    if (made) {
      change_ = *made;
      return faults;
    }
    for (const auto& d : made.error()) faults.push_back(d.id + " " + d.message);
    return faults;
  }
  void push(const std::vector<Row>& rows) {
    engine_->push(std::make_shared<const Batch>(make_batch(machine(), rows)));
  }
  void load(double seconds, double value) { push({{"a", seconds, {{}, value}}}); }
  void pass(Micros time) {
    settle();
    clock_.advance(time);
    settle();
  }
  void settle() {
    context_.restart();
    context_.poll();
  }
  std::vector<std::string> out() { return std::exchange(out_, {}); }

  boost::asio::io_context context_;
  runtime::testing::SimClock clock_;
  FakePredictor predictor_;
  testing::Schemas schemas_;
  std::unique_ptr<Engine> engine_;
  StateChange change_;
  std::vector<std::string> out_;
};

TEST_F(EngineTest, FeedsRulesFromRules) {
  EXPECT_THAT(put("sums", "SELECT sum(load) AS s FROM machine GROUP BY device, TUMBLE(10s)"),
              IsEmpty());
  EXPECT_THAT(put("big-sums", "SELECT s FROM sums WHERE s > 2"), IsEmpty());
  load(1, 1);
  load(2, 2);
  load(12, 0);
  EXPECT_THAT(out(), ElementsAre("sums: a@10 s=3 _version=0", "big_sums: a@10 s=3"));
  const auto edges = engine_->edges();
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_EQ(edges[0].from, "sums");
  EXPECT_EQ(edges[0].rows, 1U);
  EXPECT_EQ(edges[1].rows, 3U);
  EXPECT_EQ(engine_->rules()[1].rule.out, 1U);
}

TEST_F(EngineTest, RefusesCyclesAndUnknownsWithoutHarm) {
  EXPECT_THAT(put("one", "SELECT load FROM machine"), IsEmpty());
  EXPECT_THAT(put("two", "SELECT load FROM one"), IsEmpty());
  EXPECT_THAT(put("one", "SELECT load FROM two"), ElementsAre(HasSubstr("cycle")));
  EXPECT_THAT(put("one", "SELECT load FROM one"), ElementsAre(HasSubstr("cycle")));
  EXPECT_THAT(put("one", "SELECT load FROM nowhere"), ElementsAre(HasSubstr("R002")));
  EXPECT_EQ(engine_->remove("one").error().code(), Code::Invalid);
  load(1, 5);
  EXPECT_THAT(out(), ElementsAre("one: a@1 load=5", "two: a@1 load=5"));
  EXPECT_TRUE(engine_->remove("two"));
  EXPECT_TRUE(engine_->remove("one"));
  EXPECT_EQ(engine_->remove("one").error().code(), Code::NotFound);
}

TEST_F(EngineTest, KeepsStateOfOperatorsThatStay) {
  const std::string window = " FROM machine GROUP BY device, TUMBLE(10s)";
  put("r", "SELECT sum(load) AS s" + window);
  load(1, 1);
  EXPECT_THAT(put("r", "SELECT sum(load) * 100 AS percent" + window), IsEmpty());
  EXPECT_THAT(change_.kept, ElementsAre("TUMBLE(10s)"));
  load(2, 2);
  load(12, 0);
  EXPECT_THAT(out(), ElementsAre("r: a@10 percent=300 _version=0"));
  put("r", "SELECT sum(load) AS s" + window + " HAVING sum(load) > 0");
  EXPECT_THAT(change_.kept, ElementsAre("TUMBLE(10s)"));
  put("r", "SELECT max(load) AS s" + window);
  EXPECT_THAT(change_.kept, IsEmpty());
  EXPECT_THAT(change_.reset, ElementsAre("TUMBLE(10s)"));
  put("l", "SELECT lag(load) AS l FROM machine");
  load(20, 7);
  out();
  put("l", "SELECT lag(load) + 1 AS l, load FROM machine");
  EXPECT_THAT(change_.kept, ElementsAre("lag(load)"));
  load(21, 8);
  EXPECT_THAT(out(), ::testing::Contains("l: a@21 l=8 load=8"));
}

TEST_F(EngineTest, RecompilesReadersOrRefusesAChangeThatBreaksThem) {
  put("one", "SELECT load AS x FROM machine");
  put("two", "SELECT x + 1 AS y FROM one");
  EXPECT_THAT(put("one", "SELECT load AS z FROM machine"),
              ElementsAre(::testing::AllOf(HasSubstr("R003"), HasSubstr("in two"))));
  EXPECT_THAT(put("one", "SELECT count AS x FROM machine"), IsEmpty());
  push({{"a", 1, {{}, 0.5, std::int64_t{4}}}});
  EXPECT_THAT(out(), ElementsAre("one: a@1 x=4", "two: a@1 y=5"));
}

TEST_F(EngineTest, FindsThresholdRulesThroughTheIndex) {
  for (int i = 0; i < 50; ++i) {
    put(fmt::format("gt{}", i), fmt::format("SELECT load FROM machine WHERE load > {}", i));
    put(fmt::format("le{}", i), fmt::format("SELECT load FROM machine WHERE {} >= load", i));
    put(fmt::format("both{}", i),
        fmt::format("SELECT load FROM machine WHERE count > {} AND load > 100", i));
  }
  put("eq", "SELECT mode FROM machine WHERE mode = 'x'");
  put("in", "SELECT count FROM machine WHERE count IN (3, 4, 3)");
  push({{"a", 1, {{}, 2.5, std::int64_t{3}, {}, "x"}},
        {"b", 2, {{}, {}, std::int64_t{9}, {}, "y"}}});
  auto lines = out();
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l.starts_with("gt"); }),
      3);
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l.starts_with("le"); }),
      47);
  EXPECT_THAT(lines, ::testing::Contains("eq: a@1 mode=x").Times(1));
  EXPECT_THAT(lines, ::testing::Contains("in: a@1 count=3").Times(1));
  EXPECT_EQ(lines.size(), 52U);
  EXPECT_THAT(engine_->find("gt1")->explain(), ::testing::Contains(HasSubstr("[index on load]")));
  EXPECT_EQ(engine_->rules().front().rule.in, 2U);
}

TEST_F(EngineTest, AsksModelsInOrderedMicroBatches) {
  put("m", "SELECT load, model('any', load, count) AS m FROM machine");
  std::vector<Row> rows;
  for (int i = 0; i < 200; ++i) rows.push_back({"a", i * 0.1, {{}, i * 0.5, std::int64_t{1}}});
  push(rows);
  for (int i = 0; i < 40; ++i) pass(Millis{10});
  const auto lines = out();
  ASSERT_EQ(lines.size(), 200U);
  EXPECT_EQ(lines[0], "m: a@0 load=0 m_label=cold m_score=0.9 m_route=teacher m_err=-");
  EXPECT_EQ(lines[199], "m: a@19.9 load=99.5 m_label=hot m_score=0.9 m_route=teacher m_err=-");
  EXPECT_THAT(predictor_.sizes, ElementsAre(32, 32, 32, 32, 32, 32, 8));
  EXPECT_EQ(predictor_.running, 4U);
}

TEST_F(EngineTest, DoesNotAskForNullAndKeepsItsPlace) {
  put("m", "SELECT count, model('any', load) AS m, m.label = 'hot' AS hot FROM machine");
  push({{"a", 1, {{}, 11.0, std::int64_t{1}}},
        {"a", 2, {{}, {}, std::int64_t{2}}},
        {"a", 3, {{}, 1.0, std::int64_t{3}}}});
  pass(Millis{4});
  EXPECT_EQ(predictor_.calls, 0U);
  pass(Millis{1});
  EXPECT_EQ(predictor_.calls, 1U);
  pass(Millis{100});
  EXPECT_THAT(
      out(),
      ElementsAre("m: a@1 count=1 m_label=hot m_score=0.9 m_route=teacher m_err=- hot=true",
                  "m: a@2 count=2 m_label=- m_score=- m_route=- m_err=- hot=-",
                  "m: a@3 count=3 m_label=cold m_score=0.9 m_route=teacher m_err=- hot=false"));
}

TEST_F(EngineTest, AMicroBatchOfNullsAsksNobody) {
  put("m", "SELECT count, model('any', load) AS m FROM machine");
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({"a", i * 1.0, {{}, {}, std::int64_t{i}}});
  push(rows);
  pass(Millis{5});
  EXPECT_EQ(predictor_.calls, 0U);
  EXPECT_EQ(out().size(), 100U);
}

TEST_F(EngineTest, AModelThatFailsGivesNullAndSaysWhy) {
  put("m", "SELECT model('broken', load) AS m FROM machine");
  load(1, 1);
  pass(Millis{5});
  pass(Millis{200});
  EXPECT_THAT(out(), ElementsAre("m: a@1 m_label=- m_score=- m_route=edge "
                                 "m_err=Unavailable: it is down"));
  EXPECT_EQ(engine_->rules()[0].rule.model_errors, 1U);
}

TEST_F(EngineTest, AsksAtOnceWhenAWindowHasClosed) {
  put("m",
      "SELECT avg(load) AS v, model('any', avg(load), max(load)) AS m FROM machine "
      "GROUP BY device, TUMBLE(10s)");
  load(1, 30);
  load(11, 0);
  settle();
  EXPECT_EQ(predictor_.calls, 1U);
  pass(Millis{200});
  EXPECT_THAT(out(), ElementsAre("m: a@10 v=30 m_label=hot m_score=0.9 m_route=teacher m_err=- "
                                 "_version=0"));
}

TEST_F(EngineTest, ChecksModelsAndTheirWidth) {
  EXPECT_THAT(put("m", "SELECT model('missing', load) AS m FROM machine"),
              ElementsAre(HasSubstr("R009")));
  EXPECT_THAT(put("m", "SELECT model('two', load) AS m FROM machine"),
              ElementsAre(HasSubstr("R009 model \"two\" takes 2 values, these arguments give 1")));
  EXPECT_THAT(put("m", "SELECT model('two', load, wave_spectrum(wave, 2)) AS m FROM machine"),
              ElementsAre(HasSubstr("give 3")));
  EXPECT_THAT(put("m", "SELECT model('two', wave_quantiles(wave, 2)) AS m FROM machine"),
              IsEmpty());
  EXPECT_THAT(put("m", "SELECT model('two', wave) AS m FROM machine"), IsEmpty());
}

TEST_F(EngineTest, BoundsWhatWaitsForAModel) {
  put("m", "SELECT model('any', load) AS m FROM machine");
  std::vector<Row> rows;
  for (int i = 0; i < 5'000; ++i) rows.push_back({"a", 1, {{}, 1.0}});
  push(rows);
  settle();
  const auto stats = engine_->rules()[0].rule;
  EXPECT_EQ(stats.model_pending, 4096U);
  EXPECT_EQ(stats.dropped, 904U);
}

TEST_F(EngineTest, ReplacingARuleLetsItsPendingRowsOut) {
  put("m", "SELECT model('any', load) AS m FROM machine");
  load(1, 1);
  put("m", "SELECT load FROM machine");
  for (int i = 0; i < 20; ++i) pass(Millis{10});
  EXPECT_THAT(out(), ElementsAre(HasSubstr("m_label=cold")));
}

TEST_F(EngineTest, OneRuleThatStopsDoesNotStopAnother) {
  auto made = engine_->put(
      {.name = "bad", .sql = "SELECT load / count AS q FROM machine", .on_error = OnError::Stop});
  ASSERT_TRUE(made);
  put("good", "SELECT load FROM machine");
  push({{"a", 1, {{}, 1.0, std::int64_t{0}}}});
  push({{"a", 2, {{}, 2.0, std::int64_t{1}}}});
  EXPECT_THAT(out(), ElementsAre("good: a@1 load=1", "good: a@2 load=2"));
  EXPECT_NE(engine_->rules()[0].rule.stopped, "");
}

TEST_F(EngineTest, FlushClosesSourcesBeforeTheirReaders) {
  put("m", "SELECT count(*) AS n FROM machine GROUP BY device, TUMBLE(10s)");
  put("a", "SELECT sum(n) AS n FROM m GROUP BY device, TUMBLE(30s)");
  put("b", "SELECT sum(n) AS n FROM a GROUP BY device, TUMBLE(1m)");
  load(1, 1);
  load(11, 1);
  engine_->flush();
  EXPECT_THAT(out(), ElementsAre("m: a@10 n=1 _version=0", "m: a@20 n=1 _version=0",
                                 "a: a@30 n=2 _version=0", "b: a@60 n=2 _version=0"));
}

TEST_F(EngineTest, RefreshesReadersWhenADeviceChanges) {
  put("r", "SELECT load FROM machine WHERE load > 1");
  schemas_.add(testing::make_schema(
      "machine", {{.name = "mode", .type = Type::String}, {.name = "load", .type = Type::Float}}));
  ASSERT_TRUE(engine_->refresh("machine"));
  engine_->push(
      std::make_shared<const Batch>(make_batch(schemas_.find("machine"), {{"a", 1, {"x", 2.0}}})));
  load(2, 3);  // a batch of the old shape still under way
  EXPECT_THAT(out(), ElementsAre("r: a@1 load=2", "r: a@2 load=3"));
  schemas_.add(testing::make_schema("machine", {{.name = "mode", .type = Type::String}}));
  EXPECT_FALSE(engine_->refresh("machine"));
}

}  // namespace
}  // namespace infiniedge::stream
