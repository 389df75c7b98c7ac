// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config.hpp"

namespace infiniedge::model {

/// Lays a `model.yaml` over `config`, key by key. A key that this build reads without acting on
/// it (priorities, memory, accelerators, …) adds a sentence to `warnings`.
///
/// Errors: Invalid with "file:line:column: sentence" and a suggestion for an unknown key.
Result<void> read_model_yaml(std::string_view text, const std::string& file, ModelConfig& config,
                             std::vector<std::string>& warnings);

}  // namespace infiniedge::model
