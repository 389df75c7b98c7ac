// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/config.hpp"
#include "model/request.hpp"

namespace infiniedge::model {

/// How the tensors of a model with sequences come together: which inputs the caller gives, which
/// are flags or the id, and which outputs return as inputs.
///
/// Thread: a value; read by the shard.
/// Errors: Invalid where configuration and model disagree, naming the tensor.
class SequenceLayout {
 public:
  /// What a model sees of one request beside its inputs and states.
  struct Flags {
    bool start = false, ready = true, end = false;
  };

  /// Takes the control and state tensors out of a completed `config`: callers neither give nor
  /// get them. Sets the batching that the strategy asks for.
  static Result<SequenceLayout> make(ModelConfig& config);

  /// A request in the order of the model's own inputs.
  Result<std::vector<Tensor>> inputs(std::vector<Tensor> given, Flags flags,
                                     const SequenceId::Value& id,
                                     const std::vector<Tensor>& states) const;
  /// What stands in a batch for a slot without a request: `like` without content, READY false.
  std::vector<Tensor> absent(const std::vector<Tensor>& like) const;
  /// What a sequence starts from.
  const std::vector<Tensor>& initial() const { return initial_; }
  /// Takes the new states out of the model's `outputs`, as copies named like their inputs, and
  /// leaves the others in the order of the configuration.
  std::vector<Tensor> take_states(std::vector<Tensor>& outputs) const;

 private:
  enum class From { Caller, Control, State };
  struct Input {
    From from = From::Caller;
    std::size_t at = 0;  ///< Of the caller's inputs, the controls, the states.
  };
  struct ControlTensors {
    ControlInput config;
    std::vector<std::int64_t> shape;
    Tensor off, on;
  };

  Result<void> place_inputs(ModelConfig& config, const SequenceBatching& sequences);
  Result<void> place_outputs(ModelConfig& config, const SequenceBatching& sequences);
  Result<void> add_control(const ModelConfig& config, const IoConfig& io,
                           const ControlInput& control);
  Result<void> add_state(const ModelConfig& config, const IoConfig& io, const StateConfig& state);
  const Tensor& flag(const ControlTensors& control, Flags flags) const;

  std::vector<Input> inputs_;
  std::vector<std::size_t> state_outputs_;  ///< Of the model's outputs, by state.
  std::vector<ControlTensors> controls_;
  std::vector<Tensor> initial_;
};

}  // namespace infiniedge::model
