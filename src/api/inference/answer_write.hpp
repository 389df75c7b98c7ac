// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/call.hpp"
#include "model/server.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api::inference {

/// Writes the answer of an inference as JSON, with the outputs that wish it as binary tensors
/// behind. Numbers that are not finite are null in JSON, and response parameter `nonfinite`
/// names their tensors.
runtime::http::Response write_answer(const Call& call, const model::InferResponse& answer);

/// The outputs of an answer as the call wishes them: where it asked for classes, those instead of
/// the values. Errors: those of classify().
Result<std::vector<Tensor>> wished_outputs(const Call& call, const model::InferResponse& answer);

/// The best `classes` of each row as BYTES `value:index[:label]`, descending.
/// Errors: Invalid for tensors without numbers.
Result<Tensor> classify(const Tensor& output, std::int64_t classes, bool batched,
                        const std::vector<std::string>& labels);

}  // namespace infiniedge::api::inference
