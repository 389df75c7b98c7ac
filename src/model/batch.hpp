// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/tensor.hpp"

namespace infiniedge::model {

/// True if two requests can be one execution: same shapes but for the first dimension.
bool same_shapes(const std::vector<Tensor>& a, const std::vector<Tensor>& b);

/// Joins requests along the first dimension, input by input. One request passes uncopied.
std::vector<Tensor> gather(std::span<const std::vector<Tensor>* const> requests);

/// Cuts outputs along the first dimension into parts of `sizes`, as views that keep the whole
/// alive. Errors: Internal when an output's first dimension is not the sum of `sizes`.
Result<std::vector<std::vector<Tensor>>> scatter(std::vector<Tensor> outputs,
                                                 std::span<const std::int64_t> sizes);

/// Bytes of the first `count` elements of BYTES data. Errors: Invalid if they are cut short.
Result<std::size_t> packed_size(std::span<const std::byte> data, std::int64_t count);

}  // namespace infiniedge::model
