// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "infiniedge/backend.hpp"

namespace infiniedge::model {

/// True if a model's description gives the shapes of its outputs once the batch is known: every
/// dimension is fixed but a leading one of all inputs and outputs, and no output is BYTES.
bool shapes_follow_batch(const std::vector<TensorSpec>& inputs,
                         const std::vector<TensorSpec>& outputs);

/// Tensors in one block of memory, aligned for every type, and the views that fill them.
struct OutputBlock {
  std::vector<Tensor> tensors;
  std::vector<OutputView> views;  ///< Shapes and bytes of `tensors`.
};

/// Room for outputs whose shapes follow the batch.
OutputBlock allocate_outputs(const std::vector<TensorSpec>& specs, std::int64_t batch);

/// Checks that views have the number, types, shapes and bytes of such outputs.
/// Errors: Invalid. Allocates nothing unless it fails.
Result<void> check_views(const std::vector<TensorSpec>& specs, std::int64_t batch,
                         std::span<const OutputView> views);

}  // namespace infiniedge::model
