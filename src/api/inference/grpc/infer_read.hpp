// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/call.hpp"
#include "api/rpc/framing.hpp"

namespace infiniedge::api::inference::grpc {

/// Reads a ModelInferRequest. Raw inputs are not copied: their tensors keep the message alive.
/// Errors: Invalid, naming the input.
Result<Call> read_infer(const rpc::Message& message);

/// Reads InferTensorContents into a tensor whose type and shape are known.
/// Errors: Invalid when the elements are of another type, out of range, or not exactly those of
///         the shape.
Result<void> read_contents(std::string_view contents, Tensor& tensor);

/// Empty, or decimal digits. Errors: Invalid.
Result<void> check_version(std::string_view version);

}  // namespace infiniedge::api::inference::grpc
