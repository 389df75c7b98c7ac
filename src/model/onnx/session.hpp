// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "infiniedge/backend.hpp"
#include "model/onnx/executable.hpp"

namespace infiniedge::model::onnx {

/// Opens a model on the first accelerator that can take it, else on the CPU. What the library was
/// compiled with says little: only a session that was made and ran once counts. Says in the log
/// which accelerator is not used, or takes only a part of the model, and why.
///
/// Parameters of the model: execution_mode (0 sequential, 1 parallel), enable_mem_arena,
/// enable_mem_pattern (0 or 1), and `dimension.NAME`, the size of a named dimension that varies.
/// Errors: Invalid for a parameter that is none, or no model; Unsupported.
Result<std::shared_ptr<Loaded>> open_model(const LibraryPtr& library,
                                           const std::filesystem::path& file,
                                           const Backend::Options& options);

}  // namespace infiniedge::model::onnx
