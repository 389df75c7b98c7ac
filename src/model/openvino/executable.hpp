// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "model/openvino/library.hpp"

namespace infiniedge::model::openvino {

/// A model compiled once; its instances share it.
struct Compiled {
  Compiled(LibraryPtr lib, CompiledModel compiled)
      : library(std::move(lib)), model(std::move(compiled)) {}

  LibraryPtr library;
  CompiledModel model;
  std::vector<TensorSpec> inputs, outputs;
  std::string device;
  std::vector<Refusal> refusals;
  bool shapes_known = false;  ///< The batch gives the shapes of all outputs.
};

/// Reads inputs and outputs of the compiled model.
/// Errors: Unsupported for tensors without a name, of strings, of unknown rank.
Result<void> describe(Compiled& compiled);

/// An instance: one infer request, whose tensors lie over the caller's memory.
Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Compiled> compiled);

}  // namespace infiniedge::model::openvino
