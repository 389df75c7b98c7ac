// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/tensor.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::model {

/// What a control tensor tells the model; the numbers are those of Triton's protocol.
enum class Control { Start, Ready, End, CorrelationId };

/// An input that the server fills: a flag, or the sequence's id.
struct ControlInput {
  std::string name;
  Control kind = Control::Start;
  DataType type = DataType::Int32;  ///< Flags: BOOL, INT32 or FP32.
  double off = 0, on = 1;           ///< Values of a flag that is not BOOL.
  bool operator==(const ControlInput&) const = default;
};

/// An output that is fed back as an input of the sequence's next request.
struct StateConfig {
  std::string input, output;
  DataType type = DataType::Fp32;
  std::vector<std::int64_t> dims{};          ///< Without the batch; −1 starts as 1.
  std::vector<std::int64_t> initial_dims{};  ///< Empty: `dims`, with 1 for −1.
  std::string file{};                        ///< Of initial_state/; empty: zeros.
  std::optional<std::string> initial{};      ///< Its bytes.
  bool operator==(const StateConfig&) const = default;
};

/// How requests of one sequence are kept together (Triton's sequence_batching).
struct SequenceBatching {
  enum class Strategy { Direct, Oldest };
  Strategy strategy = Strategy::Direct;
  Micros idle{Seconds{1}};  ///< After so long without a request the sequence is forgotten.
  std::vector<ControlInput> controls{};
  std::vector<StateConfig> states{};
  Micros max_delay{0};
  int max_candidates = 0;  ///< Oldest: sequences served at once; 0: no limit but ours.
  std::vector<std::int32_t> preferred{};  ///< Oldest.
  bool preserve_order = false;            ///< Oldest.
  double min_utilisation = 0;             ///< Direct: share of slots that need not wait longer.
  bool operator==(const SequenceBatching&) const = default;
};

/// Errors: Invalid: two controls of one kind, a type that a control cannot have, a share over 1.
Result<void> validate(const SequenceBatching& sequences);

}  // namespace infiniedge::model
