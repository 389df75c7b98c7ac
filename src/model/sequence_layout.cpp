// SPDX-License-Identifier: Apache-2.0
#include "model/sequence_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.hpp"
#include "model/batch.hpp"

namespace infiniedge::model {
namespace {

/// A tensor over bytes of its own, aligned for every element type.
Tensor owned(std::string name, DataType type, std::vector<std::int64_t> shape,
             std::span<const std::byte> bytes) {
  auto block = std::make_shared<std::vector<std::uint64_t>>(bytes.size() / 8 + 1);
  if (!bytes.empty()) std::memcpy(block->data(), bytes.data(), bytes.size());
  const auto data = std::as_bytes(std::span(*block)).first(bytes.size());
  return {std::move(name), type, std::move(shape), data, std::move(block)};
}

/// `elements` of nothing: zeros, false, empty strings.
std::vector<std::byte> blank(DataType type, std::int64_t elements) {
  const auto width = type == DataType::Bytes ? 4 : element_size(type);
  return std::vector<std::byte>(static_cast<std::size_t>(elements) * width);
}

template <class T>
Tensor value_tensor(const ControlInput& control, std::vector<std::int64_t> shape, T value) {
  return owned(control.name, control.type, std::move(shape), std::as_bytes(std::span(&value, 1)));
}

Tensor flag_tensor(const ControlInput& control, std::vector<std::int64_t> shape, double value) {
  if (control.type == DataType::Fp32) {
    return value_tensor(control, std::move(shape), static_cast<float>(value));
  }
  if (control.type == DataType::Int32) {
    return value_tensor(control, std::move(shape), static_cast<std::int32_t>(value));
  }
  return value_tensor(control, std::move(shape), static_cast<std::uint8_t>(value != 0));
}

/// The id as a number of the model's type, or what is wrong with it.
Result<Tensor> id_tensor(const ControlInput& control, std::vector<std::int64_t> shape,
                         const SequenceId::Value& id) {
  if (control.type == DataType::Bytes) {
    const auto* text = std::get_if<std::string>(&id);
    const auto word = text != nullptr ? *text : std::to_string(std::get<std::uint64_t>(id));
    std::string packed;
    base::put(packed, static_cast<std::uint32_t>(word.size()));
    packed += word;
    return owned(control.name, control.type, std::move(shape), base::as_bytes(packed));
  }
  const auto* number = std::get_if<std::uint64_t>(&id);
  const auto limit = control.type == DataType::Uint64  ? UINT64_MAX
                     : control.type == DataType::Int64 ? std::uint64_t{INT64_MAX}
                     : control.type == DataType::Int32 ? std::uint64_t{INT32_MAX}
                                                       : std::uint64_t{UINT32_MAX};
  if (number == nullptr || *number > limit) {
    return Error{Code::Invalid, fmt::format("the model takes sequence ids as {}: give a number up "
                                            "to {}",
                                            to_string(control.type), limit)};
  }
  // Little-endian: the low bytes of a number are the same number in a narrower type.
  return owned(control.name, control.type, std::move(shape),
               std::as_bytes(std::span(number, 1)).first(element_size(control.type)));
}

std::vector<std::int64_t> with_batch(const ModelConfig& config, std::vector<std::int64_t> dims) {
  for (auto& dim : dims) dim = dim < 0 ? 1 : dim;
  if (config.max_batch() > 0) dims.insert(dims.begin(), 1);
  return dims;
}

std::size_t find(const std::vector<IoConfig>& ios, const std::string& name) {
  const auto found =
      std::find_if(ios.begin(), ios.end(), [&](const auto& io) { return io.name == name; });
  return static_cast<std::size_t>(found - ios.begin());
}

Error mismatch(const ModelConfig& config, const char* what, const IoConfig& io, DataType type,
               const std::vector<std::int64_t>& dims) {
  return {Code::Invalid,
          fmt::format("model '{}': {} '{}' is {} [{}] in the configuration and {} [{}] in the "
                      "model (without the batch dimension)",
                      config.name, what, io.name, to_string(type), fmt::join(dims, ","),
                      to_string(io.type), fmt::join(io.dims, ","))};
}

bool fits(const std::vector<std::int64_t>& declared, const std::vector<std::int64_t>& real) {
  return std::equal(declared.begin(), declared.end(), real.begin(), real.end(),
                    [](auto d, auto r) { return d == r || d < 0 || r < 0; });
}

Error no_tensor(const ModelConfig& config, const char* what, const std::string& name) {
  return {Code::Invalid, fmt::format("model '{}': sequence_batching names {} '{}', which the "
                                     "model does not have",
                                     config.name, what, name)};
}

void set_batching(ModelConfig& config, const SequenceBatching& sequences) {
  auto& batching = config.batching;
  batching.enabled = config.max_batch() > 1;
  batching.declared = true;
  batching.max_delay = sequences.max_delay;
  batching.preferred = sequences.preferred;
  batching.preserve_order = sequences.preserve_order;
  if (sequences.strategy == SequenceBatching::Strategy::Oldest) return;
  // Without a wanted utilisation one ready slot is enough, and nothing waits.
  const auto slots = std::ceil(sequences.min_utilisation * std::max(1, config.max_batch()));
  if (slots < 1) batching.max_delay = Micros{0};
  batching.preferred = {std::max(1, static_cast<std::int32_t>(slots))};
}

}  // namespace

Result<SequenceLayout> SequenceLayout::make(ModelConfig& config) {
  SequenceLayout out;
  const auto& sequences = *config.sequences;
  INFINIEDGE_TRY(out.place_outputs(config, sequences));
  INFINIEDGE_TRY(out.place_inputs(config, sequences));
  set_batching(config, sequences);
  return out;
}

Result<void> SequenceLayout::place_inputs(ModelConfig& config, const SequenceBatching& sequences) {
  for (const auto& control : sequences.controls) {
    const auto at = find(config.inputs, control.name);
    if (at == config.inputs.size()) return no_tensor(config, "control input", control.name);
    INFINIEDGE_TRY(add_control(config, config.inputs[at], control));
  }
  for (const auto& state : sequences.states) {
    const auto at = find(config.inputs, state.input);
    if (at == config.inputs.size()) return no_tensor(config, "state input", state.input);
    INFINIEDGE_TRY(add_state(config, config.inputs[at], state));
  }
  std::vector<IoConfig> left;
  for (const auto& io : config.inputs) {
    const auto control = std::find_if(controls_.begin(), controls_.end(),
                                      [&](const auto& c) { return c.config.name == io.name; });
    const auto state = std::find_if(initial_.begin(), initial_.end(),
                                    [&](const auto& t) { return t.name == io.name; });
    if (control != controls_.end()) {
      inputs_.push_back({From::Control, static_cast<std::size_t>(control - controls_.begin())});
    } else if (state != initial_.end()) {
      inputs_.push_back({From::State, static_cast<std::size_t>(state - initial_.begin())});
    } else {
      inputs_.push_back({From::Caller, left.size()});
      left.push_back(io);
    }
  }
  config.inputs = std::move(left);
  return {};
}

Result<void> SequenceLayout::place_outputs(ModelConfig& config, const SequenceBatching& sequences) {
  std::vector<bool> hidden(config.outputs.size());
  for (const auto& state : sequences.states) {
    const auto at = find(config.outputs, state.output);
    if (at == config.outputs.size()) return no_tensor(config, "state output", state.output);
    if (hidden[at]) {
      return Error{Code::Invalid, fmt::format("model '{}': output '{}' is the state of two inputs",
                                              config.name, state.output)};
    }
    const auto& io = config.outputs[at];
    if (io.type != state.type || (!state.dims.empty() && !fits(state.dims, io.dims))) {
      return mismatch(config, "state output", io, state.type, state.dims);
    }
    hidden[at] = true;
    state_outputs_.push_back(at);
  }
  std::vector<IoConfig> left;
  for (std::size_t i = 0; i < config.outputs.size(); ++i) {
    if (!hidden[i]) left.push_back(config.outputs[i]);
  }
  config.outputs = std::move(left);
  return {};
}

Result<void> SequenceLayout::add_control(const ModelConfig& config, const IoConfig& io,
                                         const ControlInput& control) {
  const bool one =
      std::all_of(io.dims.begin(), io.dims.end(), [](auto d) { return d == 1 || d < 0; });
  if (io.type != control.type || !one) {
    return mismatch(config, "control input", io, control.type, {1});
  }
  auto shape = with_batch(config, io.dims);
  Tensor off, on;
  if (control.kind != Control::CorrelationId) {
    off = flag_tensor(control, shape, control.off);
    on = flag_tensor(control, shape, control.on);
  }
  controls_.push_back({control, std::move(shape), std::move(off), std::move(on)});
  return {};
}

Result<void> SequenceLayout::add_state(const ModelConfig& config, const IoConfig& io,
                                       const StateConfig& state) {
  if (io.type != state.type || (!state.dims.empty() && !fits(state.dims, io.dims))) {
    return mismatch(config, "state input", io, state.type, state.dims);
  }
  const bool known = std::any_of(initial_.begin(), initial_.end(),
                                 [&](const auto& other) { return other.name == state.input; });
  if (known) {
    return Error{Code::Invalid, fmt::format("model '{}': input '{}' is the state of two outputs",
                                            config.name, state.input)};
  }
  const auto& dims = !state.initial_dims.empty() ? state.initial_dims
                     : state.dims.empty()        ? io.dims
                                                 : state.dims;
  if (!fits(dims, io.dims)) return mismatch(config, "initial state", io, state.type, dims);
  auto shape = with_batch(config, dims);
  const auto elements = element_count(shape);
  constexpr std::int64_t kMostElements = 64 << 20;
  if (!elements || *elements > kMostElements) {
    return Error{Code::Invalid, fmt::format("model '{}': the state '{}' is larger than {} elements",
                                            config.name, state.input, kMostElements)};
  }
  auto zeros = blank(state.type, *elements);
  if (!state.initial) {
    initial_.push_back(owned(state.input, state.type, std::move(shape), zeros));
    return {};
  }
  const auto bytes = base::as_bytes(*state.initial);
  const auto packed = state.type == DataType::Bytes ? packed_size(bytes, *elements) : zeros.size();
  if (!packed || bytes.size() != *packed) {
    return Error{Code::Invalid, fmt::format("model '{}': initial_state/{} has {} bytes, which are "
                                            "not exactly {} [{}]",
                                            config.name, state.file, bytes.size(),
                                            to_string(state.type), fmt::join(shape, ","))};
  }
  initial_.push_back(owned(state.input, state.type, std::move(shape), bytes));
  return {};
}

const Tensor& SequenceLayout::flag(const ControlTensors& control, Flags flags) const {
  const bool set = control.config.kind == Control::Start   ? flags.start
                   : control.config.kind == Control::Ready ? flags.ready
                                                           : flags.end;
  return set ? control.on : control.off;
}

Result<std::vector<Tensor>> SequenceLayout::inputs(std::vector<Tensor> given, Flags flags,
                                                   const SequenceId::Value& id,
                                                   const std::vector<Tensor>& states) const {
  std::vector<Tensor> out;
  out.reserve(inputs_.size());
  for (const auto& input : inputs_) {
    if (input.from == From::Caller) {
      out.push_back(std::move(given[input.at]));
    } else if (input.from == From::State) {
      out.push_back(states[input.at]);
    } else if (const auto& control = controls_[input.at];
               control.config.kind == Control::CorrelationId) {
      auto tensor = id_tensor(control.config, control.shape, id);
      if (!tensor) return std::move(tensor).error();
      out.push_back(std::move(*tensor));
    } else {
      out.push_back(flag(control, flags));
    }
  }
  return out;
}

std::vector<Tensor> SequenceLayout::absent(const std::vector<Tensor>& like) const {
  std::vector<Tensor> out;
  out.reserve(like.size());
  for (std::size_t i = 0; i < like.size(); ++i) {
    const bool is_flag = inputs_[i].from == From::Control &&
                         controls_[inputs_[i].at].config.kind != Control::CorrelationId;
    if (is_flag) {
      out.push_back(flag(controls_[inputs_[i].at], {.ready = false}));
    } else {
      const auto& tensor = like[i];
      out.push_back(
          owned(tensor.name, tensor.type, tensor.shape, blank(tensor.type, tensor.elements())));
    }
  }
  return out;
}

std::vector<Tensor> SequenceLayout::take_states(std::vector<Tensor>& outputs) const {
  std::vector<Tensor> states;
  for (std::size_t i = 0; i < state_outputs_.size(); ++i) {
    const auto& output = outputs[state_outputs_[i]];
    // A copy: the output may be a view that would keep the whole batch alive.
    states.push_back(owned(initial_[i].name, output.type, output.shape, output.data));
  }
  std::vector<Tensor> left;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool state =
        std::find(state_outputs_.begin(), state_outputs_.end(), i) != state_outputs_.end();
    if (!state) left.push_back(std::move(outputs[i]));
  }
  outputs = std::move(left);
  return states;
}

}  // namespace infiniedge::model
