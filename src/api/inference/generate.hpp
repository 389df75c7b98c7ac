// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "api/inference/call.hpp"

namespace infiniedge::api::inference {

/// Reads `{"id", "text_input", "parameters"}` for a model with the BYTES tensors text_input and
/// text_output. Members and parameters that bear the name of another input are its one value.
/// Errors: Invalid with the JSON path, or when the model is of another kind.
Result<Call> read_generate(const model::ModelConfig& config, const std::string& body);

/// `{"id", "model_name", "model_version", "text_output"}`: a string, or an array of several.
std::string write_generate(const Call& call, const model::InferResponse& answer);

}  // namespace infiniedge::api::inference
