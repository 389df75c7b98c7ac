// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "infiniedge/backend.hpp"
#include "model/backends.hpp"
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
  static constexpr Option kParameters[] = {
      {.name = "intra_op_thread_count",
       .type = OptionType::Integer,
       .doc = "Threads of one execution; also `threads` of model.yaml.",
       .fallback = "1"},
      {.name = "execution_mode",
       .type = OptionType::Integer,
       .doc = "1: branches of the graph run beside each other.",
       .fallback = "0"},
      {.name = "enable_mem_arena",
       .type = OptionType::Integer,
       .doc = "0: memory goes back to the system after each run.",
       .fallback = "1"},
      {.name = "enable_mem_pattern",
       .type = OptionType::Integer,
       .doc = "0: memory is not planned ahead from the shapes.",
       .fallback = "1"},
      {.name = "dimension.NAME",
       .type = OptionType::Integer,
       .doc = "Fixes a named dimension of the model that varies."}};
  static constexpr Spec kSpec{.name = "onnxruntime",
                              .summary = "ONNX models through ONNX Runtime.",
                              .address = "model.onnx",
                              .options = kParameters};
  static std::unique_ptr<infiniedge::Backend> make(const BackendEnvironment& environment);

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
