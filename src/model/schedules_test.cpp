// SPDX-License-Identifier: Apache-2.0
#include "model/schedules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "model/config_pbtxt.hpp"
#include "model/model_yaml.hpp"

namespace infiniedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<ModelConfig> read(std::string_view text) {
  ModelConfig config;
  std::vector<std::string> warnings;
  INFINIEDGE_TRY(read_config_pbtxt(text, "config.pbtxt", config, warnings));
  return config;
}

std::string message(std::string_view text) {
  const auto config = read(text);
  return config ? "accepted" : config.error().message();
}

constexpr auto kSequences = R"(
sequence_batching {
  max_sequence_idle_microseconds: 5000000
  oldest { max_candidate_sequences: 4 preferred_batch_size: [ 2, 4 ]
           max_queue_delay_microseconds: 100 preserve_ordering: true }
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] },
    { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY fp32_false_true: [ -1, 1 ] } ] },
    { name: "END" control [ { kind: 2 bool_false_true: [ false, true ] } ] },
    { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_STRING } ] } ]
  state [ { input_name: "in" output_name: "out" data_type: TYPE_INT32 dims: [ -1 ]
            initial_state: { data_type: TYPE_INT32 dims: [ 2 ] data_file: "two" name: "i" } } ]
})";

TEST(SequenceConfig, ReadsEveryField) {
  const auto config = read(kSequences);
  ASSERT_TRUE(config.has_value()) << config.error().message();
  const auto& sequences = *config->sequences;
  EXPECT_EQ(sequences.idle, Seconds{5});
  EXPECT_EQ(sequences.strategy, SequenceBatching::Strategy::Oldest);
  EXPECT_EQ(sequences.max_candidates, 4);
  EXPECT_THAT(sequences.preferred, ElementsAre(2, 4));
  EXPECT_EQ(sequences.max_delay, Micros{100});
  EXPECT_TRUE(sequences.preserve_order);
  ASSERT_EQ(sequences.controls.size(), 4U);
  EXPECT_EQ(sequences.controls[1].type, DataType::Fp32);
  EXPECT_EQ(sequences.controls[1].off, -1);
  EXPECT_EQ(sequences.controls[2].kind, Control::End);
  EXPECT_EQ(sequences.controls[2].type, DataType::Bool);
  EXPECT_EQ(sequences.controls[3].type, DataType::Bytes);
  ASSERT_EQ(sequences.states.size(), 1U);
  EXPECT_EQ(sequences.states[0].file, "two");
  EXPECT_THAT(sequences.states[0].initial_dims, ElementsAre(2));
}

TEST(SequenceConfig, IsDirectAndIdlesASecondByDefault) {
  const auto config = read("sequence_batching { }");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->sequences->strategy, SequenceBatching::Strategy::Direct);
  EXPECT_EQ(config->sequences->idle, Seconds{1});
}

TEST(SequenceConfig, ComesBackAsTheJsonThatItReads) {
  const auto config = read(kSequences);
  ASSERT_TRUE(config.has_value());
  const auto text = to_json(*config);
  ModelConfig again;
  std::vector<std::string> warnings;
  const auto whole = boost::json::parse(text).as_object();
  const auto part = boost::json::object{{"sequence_batching", whole.at("sequence_batching")}};
  // The fields print as they read; data_type TYPE_INVALID of a flag is the protocol's own filling.
  EXPECT_EQ(part.at("sequence_batching").at("oldest").at("max_candidate_sequences"), 4);
  EXPECT_EQ(part.at("sequence_batching").at("control_input").as_array().size(), 4U);
  EXPECT_EQ(
      part.at("sequence_batching").at("state").at(0).at("initial_state").at(0).at("data_file"),
      "two");
  EXPECT_FALSE(whole.contains("dynamic_batching"));
}

TEST(SequenceConfig, PointsAtTheMistake) {
  EXPECT_THAT(
      message("sequence_batching { oldst {} }"),
      HasSubstr("1:21: unknown field 'oldst' in sequence_batching; did you mean 'oldest'?"));
  EXPECT_THAT(message("sequence_batching { control_input { name: \"a\" control { kind: "
                      "CONTROL_SEQUENCE_START int32_false_true: [1] } } }"),
              HasSubstr("with two values"));
  EXPECT_THAT(message("sequence_batching { control_input { name: \"a\" control { kind: "
                      "CONTROL_SEQUENCE_CORRID data_type: TYPE_FP32 } } }"),
              HasSubstr("an id is UINT64"));
  EXPECT_THAT(message("sequence_batching { state { input_name: \"a\" } }"),
              HasSubstr("needs input_name and output_name"));
  EXPECT_THAT(message("sequence_batching { direct { minimum_slot_utilization: 2 } }"),
              HasSubstr("a share from 0 to 1"));
}

TEST(ModelYaml, HasTheSameFieldsAsConfigPbtxt) {
  ModelConfig config;
  const auto read = read_model_yaml(R"(
sequence_batching:
  max_sequence_idle_microseconds: 2000000
  control_input: [{name: START, control: [{kind: CONTROL_SEQUENCE_START, int32_false_true: [0, 1]}]}]
  direct: {minimum_slot_utilization: 0.5, max_queue_delay_microseconds: 10}
)",
                                    "model.yaml", config);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(config.sequences->idle, Seconds{2});
  EXPECT_EQ(config.sequences->controls.at(0).name, "START");
  EXPECT_EQ(config.sequences->min_utilisation, 0.5);
  const auto steps = read_model_yaml(R"(
ensemble_scheduling:
  step:
    - {model_name: a, input_map: {x: raw}, output_map: {y: out}}
)",
                                     "model.yaml", config);
  ASSERT_TRUE(steps.has_value()) << steps.error().message();
  ASSERT_EQ(config.steps.size(), 1U);
  EXPECT_EQ(config.steps[0].inputs.at("x"), "raw");
  EXPECT_EQ(config.steps[0].at, "model.yaml:4:7");
  const auto wrong =
      read_model_yaml("sequence_batching:\n  direckt: {}\n", "model.yaml", config).error();
  EXPECT_THAT(wrong.message(), HasSubstr("model.yaml:2:3: unknown field 'direckt'"));
}

}  // namespace
}  // namespace infiniedge::model
