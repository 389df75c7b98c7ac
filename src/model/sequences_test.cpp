// SPDX-License-Identifier: Apache-2.0
#include "model/sequences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempRepository;
using testing::tensor_of;
using testing::values_of;

constexpr auto kControls = R"(
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] },
    { name: "END" control [ { kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ] } ] },
    { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } ] },
    { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] } ]
  state [ { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
)";

/// A repository with the accumulator as `sum`.
struct Accumulators {
  explicit Accumulators(const std::string& strategy = "", const std::string& more = "") {
    repository.add("sum", "accumulator");
    repository.write("sum/config.pbtxt", "max_batch_size: 4\n" + more + "sequence_batching {\n" +
                                             strategy + kControls + "}\n");
    bench.emplace(repository.root());
    const auto loaded = bench->run(bench->server.load("sum"));
    EXPECT_TRUE(loaded.has_value()) << loaded.error().describe();
  }

  static InferRequest request(SequenceId::Value id, std::int32_t value, bool start = false,
                              bool end = false) {
    InferRequest out{.model = "sum", .inputs = {}};
    out.inputs.push_back(tensor_of<std::int32_t>("INPUT", DataType::Int32, {1, 1}, {value}));
    out.sequence = SequenceId{std::move(id), start, end};
    return out;
  }
  Result<std::int32_t> send(InferRequest request) {
    auto response = bench->run(bench->server.infer(std::move(request)));
    if (!response) return std::move(response).error();
    return values_of<std::int32_t>(response->outputs[0])[0];
  }
  Served& served() { return **bench->server.find("sum"); }
  Sequences& sequences() { return *served().sequences(); }
  std::string error(InferRequest request) {
    const auto answer = send(std::move(request));
    return answer ? "answered" : answer.error().message();
  }

  TempRepository repository;
  std::optional<Bench> bench;
};

/// Requests sent together; answers as they come.
class Flight {
 public:
  explicit Flight(Bench& bench) : bench_(bench) {}

  std::size_t send(InferRequest request) {
    const auto at = answers_.size();
    answers_.emplace_back();
    boost::asio::co_spawn(bench_.context, bench_.server.infer(std::move(request)),
                          boost::asio::bind_cancellation_slot(
                              signals_.emplace_back().slot(),
                              [this, at](std::exception_ptr, Result<InferResponse> response) {
                                answers_[at].emplace(std::move(response));
                              }));
    return at;
  }
  void poll() {
    bench_.context.restart();
    bench_.context.poll();
  }
  const Result<InferResponse>& wait(std::size_t at) {
    while (!answers_[at]) {
      bench_.context.restart();
      bench_.context.run_one();
    }
    return *answers_[at];
  }
  std::int32_t value(std::size_t at) {
    const auto& answer = wait(at);
    EXPECT_TRUE(answer.has_value()) << answer.error().describe();
    return answer ? values_of<std::int32_t>(answer->outputs[0])[0] : INT32_MIN;
  }
  bool done(std::size_t at) const { return answers_[at].has_value(); }
  void cancel(std::size_t at) {
    std::next(signals_.begin(), static_cast<std::ptrdiff_t>(at))
        ->emit(boost::asio::cancellation_type::all);
  }

 private:
  Bench& bench_;
  std::deque<std::optional<Result<InferResponse>>> answers_;
  std::list<boost::asio::cancellation_signal> signals_;
};

TEST(Sequences, EachKeepsItsOwnState) {
  for (const auto* strategy : {"direct { }", "oldest { max_candidate_sequences: 4 }"}) {
    Accumulators models(strategy);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{7}, 0, true)), 0);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{8}, 100, true)), 100);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{7}, 11)), 11);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{8}, -11)), 89);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{7}, 7, false, true)), 18);
    EXPECT_EQ(*models.send(models.request(std::uint64_t{8}, -7, false, true)), 82);
    EXPECT_EQ(models.sequences().size(), 0U);
    EXPECT_EQ(models.served().statistics().success.count, 6U);
  }
}

TEST(Sequences, ModelSeesTheControls) {
  Accumulators models;
  const auto seen = [&](InferRequest request) {
    request.outputs = {"SEEN"};
    auto response = models.bench->run(models.bench->server.infer(std::move(request)));
    EXPECT_TRUE(response.has_value()) << response.error().describe();
    return values_of<std::int64_t>(response->outputs[0]);
  };
  EXPECT_THAT(seen(models.request(std::uint64_t{42}, 1, true)), ElementsAre(1, 1, 0, 42, 1, 1));
  EXPECT_THAT(seen(models.request(std::uint64_t{42}, 1)), ElementsAre(0, 1, 0, 42, 1, 1));
  EXPECT_THAT(seen(models.request(std::uint64_t{42}, 1, false, true)),
              ElementsAre(0, 1, 1, 42, 1, 1));
}

TEST(Sequences, ControlsAndStatesAreNoInputsOfTheCaller) {
  Accumulators models;
  const auto& config = models.served().config();
  ASSERT_EQ(config.inputs.size(), 1U);
  EXPECT_EQ(config.inputs[0].name, "INPUT");
  ASSERT_EQ(config.outputs.size(), 2U);
  auto request = models.request(std::uint64_t{1}, 1, true);
  request.inputs.push_back(tensor_of<std::int32_t>("START", DataType::Int32, {1, 1}, {1}));
  EXPECT_THAT(models.error(std::move(request)), HasSubstr("unexpected inference input 'START'"));
}

TEST(Sequences, RefusesWhatTheProtocolForbids) {
  Accumulators models;
  EXPECT_THAT(models.error(models.request(std::uint64_t{5}, 1)),
              HasSubstr("inference request for sequence 5 to model 'sum' must specify the START "
                        "flag on the first request of the sequence"));
  auto wide = models.request(std::uint64_t{5}, 1, true);
  wide.inputs[0] = tensor_of<std::int32_t>("INPUT", DataType::Int32, {2, 1}, {1, 2});
  EXPECT_THAT(models.error(std::move(wide)), HasSubstr("must specify batch-size 1"));
  auto none = models.request(std::uint64_t{5}, 1, true);
  none.sequence.reset();
  EXPECT_THAT(models.error(std::move(none)), HasSubstr("must specify a non-zero or non-empty"));
  EXPECT_THAT(models.error(models.request(std::string{"word"}, 1, true)),
              HasSubstr("takes sequence ids as UINT64"));
  EXPECT_EQ(models.sequences().size(), 0U);
}

TEST(Sequences, StartOnALiveOneBeginsAnew) {
  Accumulators models;
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 10, true)), 10);
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 5)), 15);
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 3, true)), 3);
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 4, false, true)), 7);
}

TEST(Sequences, IsForgottenOnceIdle) {
  Accumulators models;
  ASSERT_TRUE(models.send(models.request(std::uint64_t{1}, 10, true)));
  models.bench->clock.advance(Millis{900});
  models.bench->context.restart();
  models.bench->context.poll();
  ASSERT_TRUE(models.send(models.request(std::uint64_t{1}, 1)));  // Keeps it alive.
  models.bench->clock.advance(Millis{900});
  models.bench->context.restart();
  models.bench->context.poll();
  EXPECT_EQ(models.sequences().size(), 1U);
  models.bench->clock.advance(Millis{200});
  models.bench->context.restart();
  models.bench->context.poll();
  EXPECT_EQ(models.sequences().size(), 0U);
  EXPECT_THAT(models.error(models.request(std::uint64_t{1}, 1)), HasSubstr("START flag"));
}

TEST(Sequences, OldestPutsInterleavedSequencesIntoOneExecution) {
  Accumulators models(
      "oldest { max_candidate_sequences: 4 preferred_batch_size: [ 3 ] "
      "max_queue_delay_microseconds: 1000000 }\n");
  Flight flight(*models.bench);
  const auto before = models.served().statistics().executions;
  std::vector<std::size_t> first, second;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    first.push_back(flight.send(models.request(id, static_cast<int>(id), true)));
  }
  for (std::uint64_t id = 1; id <= 3; ++id) {
    second.push_back(flight.send(models.request(id, 10, false, true)));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(flight.value(first[static_cast<std::size_t>(i)]), i + 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(flight.value(second[static_cast<std::size_t>(i)]), i + 11);
  EXPECT_EQ(models.served().statistics().executions, before + 2);
  EXPECT_EQ(models.served().statistics().batches.at(3).compute_infer.count, 2U);
}

TEST(Sequences, DirectKeepsItsRowInTheBatch) {
  Accumulators models("direct { }\n");
  for (std::uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(*models.send(models.request(id, 1, true)), 1);
  }
  const auto rows = [&](std::uint64_t id) {
    auto request = models.request(id, 1);
    request.outputs = {"SEEN"};
    auto response = models.bench->run(models.bench->server.infer(std::move(request)));
    EXPECT_TRUE(response.has_value()) << response.error().describe();
    return values_of<std::int64_t>(response->outputs[0]);
  };
  EXPECT_THAT(rows(1), ElementsAre(0, 1, 0, 1, 1, 1));
  EXPECT_THAT(rows(3), ElementsAre(0, 1, 0, 3, 1, 3));  // Rows 1 and 2 are not READY.
  EXPECT_EQ(*models.send(models.request(std::uint64_t{2}, 5)), 6);
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 0, false, true)), 2);
  ASSERT_EQ(*models.send(models.request(std::uint64_t{9}, 4, true)), 4);
  EXPECT_THAT(rows(9), ElementsAre(0, 1, 0, 9, 1, 1));  // The row that became free.
  EXPECT_EQ(models.served().statistics().batches.size(), 1U);
}

TEST(Sequences, DirectPutsInterleavedSequencesIntoOneExecution) {
  Accumulators models(
      "direct { minimum_slot_utilization: 0.75 max_queue_delay_microseconds: 1000000 }\n");
  Flight flight(*models.bench);
  const auto before = models.served().statistics().executions;
  std::vector<std::size_t> sent;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    sent.push_back(flight.send(models.request(id, static_cast<int>(id), true)));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(flight.value(sent[static_cast<std::size_t>(i)]), i + 1);
  EXPECT_EQ(models.served().statistics().executions, before + 1);
  const auto alone = flight.send(models.request(std::uint64_t{2}, 10));
  flight.poll();
  EXPECT_FALSE(flight.done(alone));  // A quarter of the slots is too few, for a second.
  models.bench->clock.advance(Millis{1001});
  EXPECT_EQ(flight.value(alone), 12);
}

TEST(Sequences, OthersWaitUntilACandidateEnds) {
  Accumulators models("oldest { max_candidate_sequences: 1 }\n");
  Flight flight(*models.bench);
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1, true)), 1);
  const auto second = flight.send(models.request(std::uint64_t{2}, 5, true));
  flight.poll();
  EXPECT_FALSE(flight.done(second));
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1, false, true)), 2);
  EXPECT_EQ(flight.value(second), 5);
}

TEST(Sequences, WaitingForASlotEndsAtTheDeadline) {
  Accumulators models("oldest { max_candidate_sequences: 1 }\n");
  Flight flight(*models.bench);
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1, true)), 1);
  auto request = models.request(std::uint64_t{2}, 5, true);
  request.timeout = Millis{5};
  const auto late = flight.send(std::move(request));
  const auto behind = flight.send(models.request(std::uint64_t{2}, 6));
  flight.poll();
  models.bench->clock.advance(Millis{6});
  EXPECT_EQ(flight.wait(late).error().code(), Code::Timeout);
  EXPECT_THAT(flight.wait(late).error().message(), HasSubstr("Request timeout expired"));
  EXPECT_EQ(flight.wait(behind).error().code(), Code::Cancelled);
  EXPECT_EQ(models.sequences().size(), 1U);
  EXPECT_EQ(models.served().statistics().fail.count, 2U);
  EXPECT_THAT(models.bench->metrics.text(),
              HasSubstr("infiniedge_model_sequences_active{model=\"sum\",version=\"1\"} 1"));
}

TEST(Sequences, GivingARequestUpTakesThoseBehindItAlong) {
  Accumulators models("oldest { max_candidate_sequences: 1 }\n");
  Flight flight(*models.bench);
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1, true)), 1);
  const auto given_up = flight.send(models.request(std::uint64_t{2}, 5, true));
  const auto behind = flight.send(models.request(std::uint64_t{2}, 6, false, true));
  const auto anew = flight.send(models.request(std::uint64_t{2}, 7, true, true));
  flight.poll();
  flight.cancel(given_up);
  EXPECT_EQ(flight.wait(given_up).error().code(), Code::Cancelled);
  EXPECT_EQ(flight.wait(behind).error().code(), Code::Cancelled);
  EXPECT_FALSE(flight.done(anew));
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1, false, true)), 2);
  EXPECT_EQ(flight.value(anew), 7);
}

TEST(Sequences, AreBounded) {
  SequenceLayout layout;
  auto config = std::make_shared<ModelConfig>();
  config->name = "m";
  config->sequences.emplace();
  Bench bench;
  runtime::Scope scope(bench.context.get_executor());
  auto sequences = std::make_shared<Sequences>(
      config, std::move(layout),
      Sequences::Options{.slots = 2, .max_sequences = 2, .max_waiting = 1});
  sequences->start(scope, bench.clock, bench.metrics.gauge("g", ""), [] { return nullptr; });
  const Sequences::Execute execute = [](CheckedRequest) -> Task<Result<std::vector<Tensor>>> {
    co_return std::vector<Tensor>{};
  };
  const auto run = [&](std::uint64_t id) {
    return bench.run(sequences->infer({}, {.sequence = {id, true, false}}, execute));
  };
  EXPECT_TRUE(run(1).has_value());
  EXPECT_TRUE(run(2).has_value());
  const auto third = run(3);
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code(), Code::Exhausted);
  EXPECT_THAT(third.error().message(), HasSubstr("serves 2 sequences already"));
  sequences->end_all({Code::Unavailable, "over"});
  EXPECT_TRUE(run(3).has_value());
  bench.run(scope.close());
}

TEST(Sequences, StateOfVaryingLengthGrowsFromItsFile) {
  TempRepository repository;
  repository.add("history", "history");
  repository.write("history/initial_state/two", std::string("\0\0\x80\x3F\0\0\0\x40", 8));  // 1, 2
  repository.write("history/config.pbtxt", R"(
    max_batch_size: 4
    sequence_batching { oldest { }
      state [ { input_name: "past" output_name: "past_and_x" data_type: TYPE_FP32 dims: [ -1 ]
                initial_state { data_type: TYPE_FP32 dims: [ 2 ] data_file: "two" name: "two" } } ]
    })");
  Bench bench(repository.root());
  const auto loaded = bench.run(bench.server.load("history"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  const auto send = [&](float x, bool start, bool end) {
    InferRequest request{.model = "history", .inputs = {}};
    request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {1, 1}, {x}));
    request.sequence = SequenceId{std::string{"s"}, start, end};
    auto response = bench.run(bench.server.infer(std::move(request)));
    EXPECT_TRUE(response.has_value()) << response.error().describe();
    return testing::floats_of(response->outputs[0])[0];
  };
  EXPECT_EQ(send(10, true, false), 13);
  EXPECT_EQ(send(20, false, false), 33);
  EXPECT_EQ(send(1, false, true), 34);
  EXPECT_EQ(send(5, true, true), 8);
}

TEST(Sequences, ConfigurationThatDoesNotFitTheModelIsALoadError) {
  TempRepository repository;
  repository.add("sum", "accumulator");
  const auto error = [&](const std::string& inner) {
    repository.write("sum/config.pbtxt", "sequence_batching {" + inner + "}");
    Bench bench(repository.root());
    const auto loaded = bench.run(bench.server.load("sum"));
    return loaded ? "loaded" : loaded.error().describe();
  };
  EXPECT_THAT(error("state { input_name: \"SUM\" output_name: \"SUM_OUT\" data_type: TYPE_INT32 }"),
              HasSubstr("names state input 'SUM', which the model does not have"));
  EXPECT_THAT(error("state { input_name: \"SUM_IN\" output_name: \"SUM_OUT\" data_type: TYPE_FP32 "
                    "dims: [1] }"),
              HasSubstr("'SUM_OUT' is FP32 [1] in the configuration and INT32 [1]"));
  EXPECT_THAT(error("control_input { name: \"START\" control { kind: CONTROL_SEQUENCE_START "
                    "fp32_false_true: [0, 1] } }"),
              HasSubstr("'START' is FP32 [1] in the configuration and INT32 [1]"));
  EXPECT_THAT(error("state { input_name: \"SUM_IN\" output_name: \"SUM_OUT\" data_type: TYPE_INT32 "
                    "dims: [1] initial_state { data_file: \"none\" } }"),
              HasSubstr("initial_state/none"));
}

TEST(Sequences, FinishOnTheVersionTheyBeganOn) {
  Accumulators models("oldest { }\n");
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 10, true)), 10);
  const std::weak_ptr<Served> old = *models.bench->server.find("sum");
  models.repository.add("sum", "accumulator", 2);
  ASSERT_TRUE(models.bench->run(models.bench->server.load("sum")));
  ASSERT_EQ((*models.bench->server.find("sum"))->version(), 2);
  auto request = models.request(std::uint64_t{1}, 5);
  auto response = models.bench->run(models.bench->server.infer(std::move(request)));
  ASSERT_TRUE(response.has_value()) << response.error().describe();
  EXPECT_EQ(response->version, 1);
  EXPECT_EQ(values_of<std::int32_t>(response->outputs[0])[0], 15);
  EXPECT_FALSE(old.expired());
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 1, false, true)), 16);
  response = models.bench->run(
      models.bench->server.infer(models.request(std::uint64_t{1}, 3, true, true)));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->version, 2);
}

TEST(Sequences, LearnOfTheSwapThatDidNotWaitForThem) {
  Accumulators models("oldest { }\n", "");
  models.repository.write("sum/config.pbtxt",
                          std::string("max_batch_size: 4\nsequence_batching { oldest { } "
                                      "max_sequence_idle_microseconds: 600000000\n") +
                              kControls + "}\n");
  ASSERT_TRUE(models.bench->run(models.bench->server.load("sum")));
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 10, true)), 10);
  models.repository.add("sum", "accumulator", 2);
  ASSERT_TRUE(models.bench->run(models.bench->server.load("sum")));
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 1)), 11);
  models.bench->clock.advance(Seconds{31});
  models.bench->context.restart();
  models.bench->context.poll();
  EXPECT_THAT(models.error(models.request(std::uint64_t{1}, 1)),
              HasSubstr("version 1 of 'sum' was swapped for a newer one; begin it again"));
  EXPECT_EQ(*models.send(models.request(std::uint64_t{1}, 2, true)), 2);
}

TEST(Sequences, EndWithTheUnload) {
  Accumulators models("oldest { }\n");
  ASSERT_EQ(*models.send(models.request(std::uint64_t{1}, 10, true)), 10);
  ASSERT_TRUE(models.bench->run(models.bench->server.unload("sum")));
  EXPECT_THAT(models.error(models.request(std::uint64_t{1}, 1)), HasSubstr("was unloaded"));
}

}  // namespace
}  // namespace infiniedge::model
