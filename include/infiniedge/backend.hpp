// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/tensor.hpp"

namespace infiniedge {

/// One loaded model version in one runtime.
///
/// Flow:    model::Server -> [Executable] -> answer
/// Thread:  run() is called by one thread at a time per Executable; any thread.
/// Owner:   the model server; destroyed when the last request on it has finished.
/// Errors:  Invalid for wrong inputs, Cancelled when `stop` was requested, else Internal.
class Executable {
 public:
  virtual ~Executable() = default;

  /// Shapes with the batch dimension as the file has it; −1 varies.
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  /// What really computes: "cpu", "gpu:0", "npu".
  virtual std::string device() const = 0;

  /// Runs once. `inputs` in the order of inputs(), shapes complete. Returns all outputs() in
  /// their order; their memory belongs to the returned tensors.
  virtual Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) = 0;
};

/// An execution provider or device to be tried, with its own options.
struct Accelerator {
  std::string name;  ///< "openvino", "cuda", "npu"; "cpu" ends the list.
  std::map<std::string, std::string> options{};
  bool operator==(const Accelerator&) const = default;
};

/// An inference runtime.
///
/// Flow:    repository -> [Backend] -> Executable
/// Thread:  load() on a worker, never on a shard.
/// Owner:   app's registry; outlives every Executable.
/// Errors:  NotFound (no file), Invalid (not a model), Unsupported (operator, device),
///          Unavailable (runtime library missing: the message says how to install it).
class Backend {
 public:
  struct Options {
    int threads = 1;  ///< Per execution.
  };

  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;              ///< "onnxruntime".
  virtual std::string_view default_filename() const = 0;  ///< "model.onnx".
  virtual Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                                   const Options& options) = 0;
};

}  // namespace infiniedge
