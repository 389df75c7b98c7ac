// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "infiniedge/tensor.hpp"
#include "model/config.hpp"

namespace infiniedge::model {

/// The inputs of one warm-up run, in the model's order, and how often it is run.
struct WarmupRun {
  std::string name;
  std::vector<Tensor> inputs;
  std::uint32_t count = 1;
};

/// Zeros for every input; dimensions that vary are 1. `batched`: a dimension comes before them.
std::vector<Tensor> zero_inputs(const std::vector<IoConfig>& inputs, bool batched,
                                std::int64_t batch);

/// What `model_warmup` declares, made of zeros, random numbers or the files in `folder`/warmup/.
/// Errors: Invalid for an input that the model does not have, or data of another size; NotFound.
Result<std::vector<WarmupRun>> warmup_runs(const ModelConfig& config,
                                           const std::filesystem::path& folder);

}  // namespace infiniedge::model
