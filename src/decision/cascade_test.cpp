// SPDX-License-Identifier: Apache-2.0
#include "decision/cascade.hpp"

#include <gtest/gtest.h>

#include "model/onnx/backend.hpp"
#include "model/server.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::decision {
namespace {

/// A teacher whose answers and failures the test chooses.
class ScriptedTeacher final : public Teacher {
 public:
  Task<Result<std::vector<model::Answer>>> ask(std::vector<Sample> samples, Micros,
                                               std::size_t& bytes) override {
    ++calls;
    bytes = 100;
    if (failure) co_return Error{*failure, "scripted"};
    co_return std::vector<model::Answer>(samples.size(), {.label = "taught", .score = 0.99});
  }
  int calls = 0;
  std::optional<Code> failure;
};

/// The student is the real one of the appliance story: silence makes it sure or not, whichever;
/// the threshold decides, so the tests set it to 0 (always sure) or above 1 (never sure).
class CascadeTest : public testing::Test {
 protected:
  CascadeTest() {
    server_.add(backend_);
    model::ModelDefinition definition;
    definition.config.name = "appliance";
    definition.config.backend = "onnxruntime";
    definition.files[1] = std::string{INFINIEDGE_SOURCE_DIR} + "/examples/appliances/student.onnx";
    const auto loaded = runtime::testing::run(context_, load(std::move(definition)));
    if (!loaded) skip_ = loaded.error().describe();
  }
  ~CascadeTest() override { runtime::testing::run(context_, close()); }

  void SetUp() override {
    if (skip_.find("Unavailable") != std::string::npos) GTEST_SKIP() << skip_;
    ASSERT_EQ(skip_, "");
  }

  Task<Result<void>> load(model::ModelDefinition definition) {
    co_return co_await server_.load_definition(std::move(definition));
  }
  Task<void> close() { co_await server_.close(); }
  Task<Result<std::vector<Prediction>>> ask(std::size_t n) {
    std::vector<Sample> samples(
        n, Sample{.device = "plug-1", .ts = from_us(1), .features = std::vector<float>(564, 0.0F)});
    co_return co_await cascade_.predict("appliance", std::move(samples));
  }
  std::vector<Prediction> predict(std::size_t n) {
    auto result = runtime::testing::run(context_, ask(n));
    EXPECT_TRUE(result.has_value());
    return result ? *result : std::vector<Prediction>{};
  }

  boost::asio::io_context context_;
  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{3};
  runtime::Metrics metrics_;
  runtime::Workers workers_{"test", 1};
  model::onnx::Backend backend_;
  model::Server server_{context_.get_executor(), clock_, workers_, metrics_, {}};
  std::vector<Batch> rows_;
  Cascade cascade_{clock_, entropy_, metrics_, server_,
                   [this](Batch batch) { rows_.push_back(std::move(batch)); }};
  std::shared_ptr<ScriptedTeacher> teacher_ = std::make_shared<ScriptedTeacher>();
  std::string skip_;
};

TEST_F(CascadeTest, SureAnswersStayOnTheEdge) {
  cascade_.put({.model = "appliance", .threshold = 0}, teacher_);
  const auto answers = predict(3);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].route, Route::Edge);
  EXPECT_EQ(teacher_->calls, 0);
  ASSERT_EQ(rows_.size(), 1U);
  EXPECT_EQ(rows_[0].rows(), 3U);
}

TEST_F(CascadeTest, UnsureOnesGoToTheTeacherInOneCall) {
  cascade_.put({.model = "appliance", .threshold = 1.01, .share = 1}, teacher_);
  const auto answers = predict(3);
  EXPECT_EQ(teacher_->calls, 1);
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.route, Route::Teacher);
    EXPECT_EQ(answer.label, "taught");
  }
  EXPECT_DOUBLE_EQ(cascade_.stats("appliance").cloud_share(), 1);
}

TEST_F(CascadeTest, BudgetBoundsTheShare) {
  cascade_.put({.model = "appliance", .threshold = 1.01, .share = 0.25, .burst = 2}, teacher_);
  predict(10);
  const auto stats = cascade_.stats("appliance");
  EXPECT_EQ(stats.routes.at(Route::Teacher), 4U);  // two of the burst, then one in four
  EXPECT_EQ(stats.routes.at(Route::EdgeBudget), 6U);
}

TEST_F(CascadeTest, AnOutageAnswersFromTheEdgeAndOpensTheBreaker) {
  cascade_.put({.model = "appliance", .threshold = 1.01, .share = 1}, teacher_);
  teacher_->failure = Code::Unavailable;
  for (int i = 0; i < 8; ++i) {
    const auto answers = predict(1);
    EXPECT_EQ(answers[0].route, Route::EdgeOffline);
    EXPECT_FALSE(answers[0].label.empty());
  }
  EXPECT_EQ(teacher_->calls, 5);
  teacher_->failure.reset();
  clock_.advance(Seconds{10});
  EXPECT_EQ(predict(1)[0].route, Route::Teacher);
  EXPECT_TRUE(cascade_.stats("appliance").teacher_reachable);
}

TEST_F(CascadeTest, ALateTeacherLeavesTheStudentsAnswer) {
  cascade_.put({.model = "appliance", .threshold = 1.01, .share = 1}, teacher_);
  teacher_->failure = Code::Timeout;
  EXPECT_EQ(predict(1)[0].route, Route::EdgeLate);
}

TEST_F(CascadeTest, AbstainsWhereTheResourceSaysSo) {
  cascade_.put({.model = "appliance", .threshold = 1.01, .share = 1, .abstain_offline = true},
               teacher_);
  teacher_->failure = Code::Unavailable;
  const auto answers = predict(1);
  EXPECT_EQ(answers[0].route, Route::Abstain);
  EXPECT_FALSE(answers[0].error.empty());
}

TEST_F(CascadeTest, AnUnknownModelIsNotFound) {
  auto result = runtime::testing::run(context_, cascade_.predict("nothing", {Sample{}}));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::NotFound);
}

}  // namespace
}  // namespace infiniedge::decision
