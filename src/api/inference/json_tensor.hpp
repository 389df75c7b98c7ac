// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/json_read.hpp"
#include "infiniedge/tensor.hpp"

namespace infiniedge::api::inference {

/// Reads `data` of an input, nested or flat, into the tensor whose type and shape are known.
/// Errors: Invalid with the path of the element that is out of range or of another type, or
///         when the elements are not exactly those of the shape.
Result<void> read_data(const Where& where, simdjson::ondemand::value value, Tensor& tensor);

}  // namespace infiniedge::api::inference
