// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
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

/// Where one output goes: memory of the caller, of exactly the bytes of `shape`.
struct OutputView {
  DataType type = DataType::Fp32;
  std::span<const std::int64_t> shape;
  std::span<std::byte> data;
};

/// An accelerator that was asked for and is not used.
struct Refusal {
  std::string accelerator;
  std::string reason;
};

/// One instance of a loaded model version in one runtime.
///
/// Flow:    model::Server -> [Executable] -> answer
/// Thread:  run() and run_into() are called by one thread at a time per Executable; any thread.
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
  /// Accelerators of Options::accelerators before the one that is used, each with its reason.
  virtual std::vector<Refusal> refusals() const { return {}; }

  /// Runs once. `inputs` in the order of inputs(), shapes complete. Returns all outputs() in
  /// their order; their memory belongs to the returned tensors.
  virtual Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) = 0;

  /// The same into memory of the caller, all outputs() in their order, for callers that know the
  /// shapes. Errors: Invalid also when a shape or type is not what comes out; Unsupported from a
  /// runtime that cannot.
  virtual Result<void> run_into(std::span<const Tensor> inputs, std::span<const OutputView> outputs,
                                std::stop_token stop) {
    (void)inputs, (void)outputs, (void)stop;
    return Error{Code::Unsupported, "this runtime brings the memory of its outputs itself"};
  }

  /// One more instance of what is loaded already, which runs beside this one and shares with it
  /// what the runtime can share. Unsupported: load again. Thread: a worker.
  virtual Result<std::unique_ptr<Executable>> another() const {
    return Error{Code::Unsupported, "this runtime loads every instance anew"};
  }
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
    int threads = 1;    ///< Per execution.
    int instances = 1;  ///< That will run beside each other; another() makes the further ones.
    std::vector<Accelerator> accelerators{};  ///< Tried in order; the CPU is behind the last.
    /// The model's own `parameters`: keys that the backend does not know are not for it.
    std::map<std::string, std::string> parameters{};
  };

  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;              ///< "onnxruntime".
  virtual std::string_view default_filename() const = 0;  ///< "model.onnx".
  virtual Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                                   const Options& options) = 0;
};

}  // namespace infiniedge
