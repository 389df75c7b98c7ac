// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "model/onnx/library.hpp"

namespace infiniedge::model::onnx {

using Session = Owned<OrtSession, ReleaseSession>;

/// A session and what it is; its instances share it, since Run may be called by several threads.
struct Loaded {
  Loaded(LibraryPtr lib, Session made) : library(std::move(lib)), session(std::move(made)) {}

  LibraryPtr library;
  Session session;
  std::vector<TensorSpec> inputs, outputs;
  std::vector<const char*> input_names, output_names;
  std::string device = "cpu";
  std::vector<Refusal> refusals;
  bool shapes_known = false;  ///< The batch gives the shapes of all outputs.
};

/// Reads inputs and outputs of the session. Errors: Unsupported for what is no tensor.
Result<void> describe(Loaded& loaded);

/// An instance with run options of its own, so that one can be told to stop.
Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Loaded> loaded);

}  // namespace infiniedge::model::onnx
