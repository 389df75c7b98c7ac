// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "infiniedge/backend.hpp"
#include "infiniedge/tensor.hpp"
#include "model/onnx/library.hpp"

namespace infiniedge::model::onnx {

using Value = Owned<OrtValue, ReleaseValue>;

std::optional<OrtElement> element_from(DataType type);
std::optional<DataType> type_from(int element);

/// Lays a runtime value over the tensor's bytes; copies only when they are not aligned for their
/// type (then into `copy`) or are strings. `tensor` and `copy` outlive the value.
/// Errors: Invalid for bytes that contradict shape and type.
Result<void> to_value(const Library& library, const Tensor& tensor,
                      std::shared_ptr<const void>& copy, Value& out);

/// Lays a runtime value over memory that an output goes to.
/// Errors: Unsupported for strings, which the runtime only makes itself.
Result<void> to_value(const Library& library, const OutputView& view, Value& out);

/// Takes a runtime value over as a tensor that owns it; only strings are copied.
Result<Tensor> to_tensor(const LibraryPtr& library, std::string name, Value value);

}  // namespace infiniedge::model::onnx
