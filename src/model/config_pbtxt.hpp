// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config.hpp"

namespace infiniedge::model {

/// Reads a `config.pbtxt` into `config`. What we parse but do not honour (formats, ragged
/// batches, GPU lists, graph optimisation) adds a sentence to `warnings`.
///
/// Errors: Invalid with "file:line:column: sentence" and a suggestion for an unknown field;
///         Unsupported for backends that need another runtime.
Result<void> read_config_pbtxt(std::string_view text, const std::string& file, ModelConfig& config,
                               std::vector<std::string>& warnings);

/// The same fields as JSON, as clients give them with a load: numbers may be strings, names may
/// be in camelCase. `name` stands where the file's name does in errors.
Result<void> read_config_json(std::string_view text, const std::string& name, ModelConfig& config,
                              std::vector<std::string>& warnings);

/// The platform of a model that consists of others.
constexpr std::string_view kEnsemble = "ensemble";

}  // namespace infiniedge::model
