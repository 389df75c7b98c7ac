// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "infiniedge/backend.hpp"
#include "model/onnx/library.hpp"

namespace infiniedge::model::onnx {

/// ONNX models on the CPU through ONNX Runtime, which is found and loaded at the first model.
///
/// Flow:    repository -> [onnx::Backend] -> Executable
/// Thread:  load() on any worker, several at once.
/// Owner:   app's registry.
/// Errors:  as infiniedge::Backend.
class Backend final : public infiniedge::Backend {
 public:
  explicit Backend(Library::Options options = {}) : options_(std::move(options)) {}

  std::string_view name() const override { return "onnxruntime"; }
  std::string_view default_filename() const override { return "model.onnx"; }
  Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                           const Options& options) override;

 private:
  Result<LibraryPtr> library();

  Library::Options options_;
  std::mutex mutex_;  // Several workers may load the first model.
  LibraryPtr library_;
};

}  // namespace infiniedge::model::onnx
