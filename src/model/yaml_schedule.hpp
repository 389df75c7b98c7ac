// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/yaml.hpp"
#include "model/config.hpp"

namespace infiniedge::model {

/// `sequence_batching:` and `ensemble_scheduling:` of model.yaml, which have the fields that
/// ModelConfig has, and replace what config.pbtxt said.
/// Errors: Invalid with "line:column: sentence".
Result<void> read_sequence_batching(const base::yaml::Node::Entry& entry, const std::string& file,
                                    ModelConfig& config);
Result<void> read_ensemble_scheduling(const base::yaml::Node::Entry& entry, const std::string& file,
                                      ModelConfig& config);

}  // namespace infiniedge::model
