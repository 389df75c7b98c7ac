// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "infiniedge/tensor.hpp"
#include "infiniedge/time.hpp"
#include "model/config.hpp"

namespace infiniedge::model {

/// The sequence that a request belongs to. Number 0 and the empty name are none.
struct SequenceId {
  using Value = std::variant<std::uint64_t, std::string>;
  Value id{};
  bool start = false, end = false;

  bool named() const {
    const auto* number = std::get_if<std::uint64_t>(&id);
    return number != nullptr ? *number != 0 : !std::get<std::string>(id).empty();
  }
};

/// One inference, in process. Tensors share their bytes with whoever made them.
struct InferRequest {
  std::string model;
  std::string version{};               ///< Empty: the highest that is ready.
  std::vector<Tensor> inputs;          ///< In any order; by name.
  std::vector<std::string> outputs{};  ///< Empty: all.
  std::optional<Micros> timeout{};     ///< Covers queue and expected compute.
  std::uint32_t priority = 0;          ///< 1: highest; 0: the model's default.
  std::optional<SequenceId> sequence{};
  std::stop_token cancel{};  ///< Stopped once nobody waits for the answer; on the server's shard.
};

struct InferResponse {
  std::shared_ptr<const ModelConfig> config;  ///< Of the version that answered.
  std::int64_t version = 0;
  std::vector<Tensor> outputs;  ///< As requested, else as configured.
};

/// The row that a sequence keeps in every batch of its lane.
struct BatchSlot {
  std::size_t position = 0, lane = 0;
};

/// A request that fits its model: inputs in the model's order.
struct CheckedRequest {
  std::vector<Tensor> inputs;
  std::vector<std::size_t> outputs;  ///< Indices into the model's outputs; empty: all.
  std::int64_t batch = 1;            ///< Items, for statistics; 1 without a batch dimension.
  std::optional<BatchSlot> slot{};   ///< Of a sequence that keeps one place in every batch.
};

/// Checks names, types, shapes, batch and sizes, in the order of the protocol.
/// Errors: Invalid, naming the tensor, what was given and what the model takes.
Result<CheckedRequest> check_request(const ModelConfig& config, std::vector<Tensor> inputs,
                                     const std::vector<std::string>& outputs);

/// Gives outputs of the model, all in its order, the shapes that its configuration promises.
void to_client_shapes(const ModelConfig& config, std::vector<Tensor>& outputs);

/// Number of elements of a shape, or nothing if it is negative or overflows.
std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& shape);

}  // namespace infiniedge::model
