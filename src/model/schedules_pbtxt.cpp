// SPDX-License-Identifier: Apache-2.0
#include "model/config_pbtxt.hpp"
#include "model/schedules.hpp"

namespace infiniedge::model {
namespace {

using namespace pbtxt;  // NOLINT: the words of which every reader below is made.

constexpr std::int64_t kLongestDelay = 3'600'000'000;

/// `int32_false_true: [0, 1]`: the first value is of false.
Handler false_true(const Context& context, DataType type, ControlInput& out, int& given) {
  return [&context, type, &out, &given](const PbField& field) -> Result<void> {
    if (given >= 2) {
      return context.error(field.at,
                           fmt::format("'{}' takes two values: [false, true]", field.name));
    }
    out.type = type;
    auto& slot = given++ == 0 ? out.off : out.on;
    if (type != DataType::Bool) return number(context, [&slot](double v) { slot = v; })(field);
    return boolean(context, [&slot](bool v) { slot = v ? 1 : 0; })(field);
  };
}

Result<void> read_control(const Context& context, const PbValue& value, ControlInput& out) {
  constexpr std::string_view kKinds[] = {"CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_READY",
                                         "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_CORRID"};
  int given = 0;
  const Handler kind = [&](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kKinds);
    if (!index) return std::move(index).error();
    out.kind = static_cast<Control>(*index);
    return {};
  };
  INFINIEDGE_TRY(each(context, value.fields, "control",
                      {{"kind", kind},
                       {"int32_false_true", false_true(context, DataType::Int32, out, given)},
                       {"fp32_false_true", false_true(context, DataType::Fp32, out, given)},
                       {"bool_false_true", false_true(context, DataType::Bool, out, given)},
                       {"data_type", data_type(context, out.type)}}));
  if (out.kind != Control::CorrelationId && given != 2) {
    return context.error(value.at,
                         "a flag needs int32_false_true, fp32_false_true or "
                         "bool_false_true with two values");
  }
  if (out.kind == Control::CorrelationId && given != 0) {
    return context.error(value.at, "CONTROL_SEQUENCE_CORRID takes a data_type, no values");
  }
  return {};
}

Result<void> read_control_input(const Context& context, const PbValue& value, ControlInput& out) {
  int controls = 0;
  const auto control = [&](const PbValue& inner) -> Result<void> {
    if (++controls > 1) return context.error(inner.at, "give each control an input of its own");
    return read_control(context, inner, out);
  };
  INFINIEDGE_TRY(each(context, value.fields, "control_input",
                      {{"name", text(context, out.name)}, {"control", message(context, control)}}));
  if (out.name.empty() || controls == 0) {
    return context.error(value.at, "a control_input needs a name and a control");
  }
  return {};
}

Result<void> read_initial(const Context& context, const PbValue& value, StateConfig& state) {
  std::string name;
  DataType type = state.type;
  std::vector<std::int64_t> dims;
  INFINIEDGE_TRY(each(context, value.fields, "initial_state",
                      {{"name", text(context, name)},
                       {"data_type", data_type(context, type)},
                       {"dims", integer<std::int64_t>(context, 1, INT64_MAX,
                                                      [&](std::int64_t d) { dims.push_back(d); })},
                       {"zero_data", boolean(context, [&](bool) { state.file.clear(); })},
                       {"data_file", text(context, state.file)}}));
  if (!dims.empty()) state.initial_dims = std::move(dims);
  return {};
}

Result<void> read_state(const Context& context, const PbValue& value, StateConfig& out) {
  INFINIEDGE_TRY(
      each(context, value.fields, "state",
           {{"input_name", text(context, out.input)},
            {"output_name", text(context, out.output)},
            {"data_type", data_type(context, out.type)},
            {"dims", integer<std::int64_t>(context, -1, INT64_MAX,
                                           [&](std::int64_t d) { out.dims.push_back(d); })},
            {"initial_state", into(context, read_initial, out)}}));
  if (out.input.empty() || out.output.empty()) {
    return context.error(value.at, "a state needs input_name and output_name");
  }
  return {};
}

Handler delay(const Context& context, Micros& out) {
  return integer<std::int64_t>(context, 0, kLongestDelay,
                               [&out](std::int64_t us) { out = Micros{us}; });
}

Result<void> read_direct(const Context& context, const PbValue& value, SequenceBatching& out) {
  out.strategy = SequenceBatching::Strategy::Direct;
  return each(context, value.fields, "direct",
              {{"max_queue_delay_microseconds", delay(context, out.max_delay)},
               {"minimum_slot_utilization",
                number(context, [&](double share) { out.min_utilisation = share; })}});
}

Result<void> read_oldest(const Context& context, const PbValue& value, SequenceBatching& out) {
  out.strategy = SequenceBatching::Strategy::Oldest;
  return each(context, value.fields, "oldest",
              {{"max_candidate_sequences",
                integer<int>(context, 0, 1 << 20, [&](int n) { out.max_candidates = n; })},
               {"preferred_batch_size",
                integer<std::int32_t>(context, 1, 1 << 20,
                                      [&](std::int32_t n) { out.preferred.push_back(n); })},
               {"max_queue_delay_microseconds", delay(context, out.max_delay)},
               {"preserve_ordering", boolean(context, [&](bool on) { out.preserve_order = on; })}});
}

/// Tensors of a model and those of the ensemble.
Handler pairs(const Context& context, std::map<std::string, std::string>& out) {
  return map(context, [&](const std::string& key, const PbField& field) -> Result<void> {
    std::string tensor;
    INFINIEDGE_TRY(text(context, tensor)(field));
    if (key.empty() || tensor.empty()) {
      return context.error(field.at, "both tensors of an entry need a name");
    }
    if (!out.emplace(key, tensor).second) {
      return context.error(field.at, fmt::format("'{}' is mapped twice", key));
    }
    return {};
  });
}

Result<void> read_step(const Context& context, const PbValue& value, EnsembleStep& out) {
  std::string ignored_name;
  INFINIEDGE_TRY(each(
      context, value.fields, "step",
      {{"model_name", text(context, out.model)},
       {"model_version",
        integer<std::int64_t>(context, -1, INT64_MAX, [&](std::int64_t v) { out.version = v; })},
       {"model_namespace", text(context, ignored_name)},
       {"input_map", pairs(context, out.inputs)},
       {"output_map", pairs(context, out.outputs)}}));
  if (out.model.empty()) return context.error(value.at, "a step needs a model_name");
  if (out.inputs.empty() || out.outputs.empty()) {
    return context.error(value.at, "a step needs an input_map and an output_map");
  }
  out.at = fmt::format("{}:{}:{}", context.file, value.at.line, value.at.column);
  return {};
}

}  // namespace

Result<void> read_sequences(const Context& context, const PbValue& value, SequenceBatching& out) {
  INFINIEDGE_TRY(each(
      context, value.fields, "sequence_batching",
      {{"max_sequence_idle_microseconds", integer<std::int64_t>(context, 0, INT64_MAX / 2,
                                                                [&](std::int64_t us) {
                                                                  if (us > 0) out.idle = Micros{us};
                                                                })},
       {"control_input", append(context, read_control_input, out.controls)},
       {"state", append(context, read_state, out.states)},
       {"direct", into(context, read_direct, out)},
       {"oldest", into(context, read_oldest, out)},
       {"iterative_sequence", unsupported(context, "leave it out: a request has one response")}}));
  if (auto valid = validate(out); !valid) return context.error(value.at, valid.error().message());
  return {};
}

Result<void> read_ensemble(const Context& context, const PbValue& value, ModelConfig& config) {
  INFINIEDGE_TRY(each(context, value.fields, "ensemble_scheduling",
                      {{"step", append(context, read_step, config.steps)},
                       {"max_inflight_requests", ignored(context)}}));
  if (config.steps.empty()) {
    return context.error(value.at, "an ensemble needs at least one step");
  }
  if (config.platform.empty()) config.platform = kEnsemble;
  return {};
}

}  // namespace infiniedge::model
