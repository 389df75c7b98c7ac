// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "model/config.hpp"
#include "model/schedules.hpp"

namespace infiniedge::model {
namespace {

namespace json = boost::json;

json::array numbers(const auto& values) { return json::array(values.begin(), values.end()); }

json::object control_json(const ControlInput& control) {
  constexpr std::string_view kKinds[] = {"CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_READY",
                                         "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_CORRID"};
  json::array ints, floats, bools;
  const bool flag = control.kind != Control::CorrelationId;
  if (flag && control.type == DataType::Int32) {
    ints = {static_cast<std::int64_t>(control.off), static_cast<std::int64_t>(control.on)};
  } else if (flag && control.type == DataType::Fp32) {
    floats = {control.off, control.on};
  } else if (flag) {
    bools = {control.off != 0, control.on != 0};
  }
  json::object inner{{"kind", kKinds[static_cast<int>(control.kind)]},
                     {"int32_false_true", std::move(ints)},
                     {"fp32_false_true", std::move(floats)},
                     {"bool_false_true", std::move(bools)},
                     {"data_type", flag ? "TYPE_INVALID" : protocol_name(control.type)}};
  return {{"name", control.name}, {"control", json::array{std::move(inner)}}};
}

json::object state_json(const StateConfig& state) {
  json::array initial;
  if (!state.file.empty() || !state.initial_dims.empty()) {
    json::object one{{"data_type", protocol_name(state.type)},
                     {"dims", numbers(state.initial_dims)},
                     {"name", ""}};
    if (state.file.empty()) {
      one["zero_data"] = true;
    } else {
      one["data_file"] = state.file;
    }
    initial.push_back(std::move(one));
  }
  return {{"input_name", state.input},
          {"output_name", state.output},
          {"data_type", protocol_name(state.type)},
          {"dims", numbers(state.dims)},
          {"initial_state", std::move(initial)}};
}

}  // namespace

json::object to_json(const SequenceBatching& sequences) {
  json::array controls, states;
  for (const auto& control : sequences.controls) controls.push_back(control_json(control));
  for (const auto& state : sequences.states) states.push_back(state_json(state));
  json::object out{{"max_sequence_idle_microseconds", sequences.idle.count()},
                   {"control_input", std::move(controls)},
                   {"state", std::move(states)}};
  if (sequences.strategy == SequenceBatching::Strategy::Direct) {
    out["direct"] = json::object{{"max_queue_delay_microseconds", sequences.max_delay.count()},
                                 {"minimum_slot_utilization", sequences.min_utilisation}};
  } else {
    out["oldest"] = json::object{{"max_candidate_sequences", sequences.max_candidates},
                                 {"preferred_batch_size", numbers(sequences.preferred)},
                                 {"max_queue_delay_microseconds", sequences.max_delay.count()},
                                 {"preserve_ordering", sequences.preserve_order}};
  }
  return out;
}

json::object to_json(const std::vector<EnsembleStep>& steps) {
  json::array all;
  for (const auto& step : steps) {
    json::object inputs, outputs;
    for (const auto& [name, tensor] : step.inputs) inputs[name] = tensor;
    for (const auto& [name, tensor] : step.outputs) outputs[name] = tensor;
    all.push_back(json::object{{"model_name", step.model},
                               {"model_version", step.version},
                               {"input_map", std::move(inputs)},
                               {"output_map", std::move(outputs)},
                               {"model_namespace", ""}});
  }
  return {{"step", std::move(all)}, {"max_inflight_requests", 0}};
}

}  // namespace infiniedge::model
