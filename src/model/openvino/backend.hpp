// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "infiniedge/backend.hpp"
#include "model/backends.hpp"
#include "model/openvino/library.hpp"

namespace infiniedge::model::openvino {

/// OpenVINO IR and ONNX models through OpenVINO, which is found and loaded at the first model.
///
/// Flow:    repository -> [openvino::Backend] -> Executable
/// Thread:  load() on any worker, several at once.
/// Owner:   app's registry.
/// Errors:  as infiniedge::Backend.
class Backend final : public infiniedge::Backend {
 public:
  static constexpr Option kParameters[] = {
      {.name = "TARGET_DEVICE",
       .doc = "CPU, or a device to try before it, like GPU or NPU.",
       .fallback = "CPU"},
      {.name = "PERFORMANCE_HINT", .doc = "LATENCY or THROUGHPUT; not together with NUM_STREAMS."},
      {.name = "NUM_STREAMS",
       .type = OptionType::Integer,
       .doc = "Executions beside each other; by default as many as instances.",
       .min = 1,
       .max = 256},
      {.name = "INFERENCE_NUM_THREADS",
       .type = OptionType::Integer,
       .doc = "Threads in all; by default threads times instances.",
       .min = 1,
       .max = 256},
      {.name = "ENABLE_CPU_PINNING", .doc = "YES or NO.", .fallback = "NO"},
      {.name = "INFERENCE_PRECISION_HINT", .doc = "f32, f16 or bf16.", .fallback = "f32"}};
  static constexpr Spec kSpec{.name = "openvino",
                              .summary = "OpenVINO IR and ONNX models through OpenVINO.",
                              .address = "model.xml with model.bin, or model.onnx",
                              .options = kParameters};
  static std::unique_ptr<infiniedge::Backend> make(const BackendEnvironment& environment);

  struct Settings {
    std::string library{};    ///< Exact file; empty: INFINIEDGE_OPENVINO, then the usual places.
    std::string cache_dir{};  ///< Compiled models, for a faster start; empty: none are kept.
  };
  Backend() = default;
  explicit Backend(Settings settings) : settings_(std::move(settings)) {}

  std::string_view name() const override { return "openvino"; }
  std::string_view default_filename() const override { return "model.xml"; }
  Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                           const Options& options) override;

 private:
  Result<LibraryPtr> library();

  Settings settings_;
  std::mutex mutex_;  // Several workers may load the first model.
  LibraryPtr library_;
};

}  // namespace infiniedge::model::openvino
