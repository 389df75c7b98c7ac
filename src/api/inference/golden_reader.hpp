// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/golden.hpp"

namespace infiniedge::api::inference {

/// Reads a golden case as what a client sends and gets: a model::GoldenReader.
/// Errors: Invalid with the file's part and the JSON path; also for what a file cannot hold (shared
///         memory) or what is no output of the model (classification).
Result<model::GoldenCase> read_golden(const model::ModelConfig& config, std::string request,
                                      std::string response);

}  // namespace infiniedge::api::inference
