// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/backend.hpp"
#include "model/onnx/library.hpp"

namespace infiniedge::model::onnx {

/// Adds an execution provider to session options. "openvino", "cuda", "tensorrt", "xnnpack", … are
/// understood in any case; other names and all options go to the runtime as they are.
/// Errors: Unsupported when this runtime has none such; the message is the runtime's own.
Result<void> append_provider(const Library& library, OrtSessionOptions* options,
                             const Accelerator& accelerator);

/// What it computes on: "gpu:0", "npu", or "cpu" for a provider that only brings other kernels.
std::string device_of(const Accelerator& accelerator);

}  // namespace infiniedge::model::onnx
