// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/inference/shared_memory.hpp"
#include "model/request.hpp"

namespace infiniedge::api::inference {

/// How one output is to be returned.
struct OutputWish {
  std::string name;
  bool binary = false;
  std::int64_t classes = 0;             ///< > 0: the best so many as BYTES instead of the values.
  std::optional<SharedSlice> shared{};  ///< Written there instead of into the answer.
  std::shared_ptr<const SharedObject> object{};  ///< Of `shared`, once attached.
};

/// An input whose bytes lie in shared memory.
struct SharedInput {
  std::size_t at = 0;  ///< Of the request's inputs.
  SharedSlice slice;
  std::shared_ptr<const SharedObject> object{};
};

/// An inference as it came over HTTP.
struct Call {
  model::InferRequest request;
  std::string id{};
  std::vector<OutputWish> outputs{};  ///< Empty: all.
  std::vector<SharedInput> shared_inputs{};
  model::SequenceId sequence{};  ///< As it was sent; in the request if it names one.
  bool binary_default = false;   ///< Of outputs that say nothing themselves.
};

/// Takes hold of the regions that a call names. On the registry's shard.
/// Errors: those of SharedMemory; Invalid when the inputs have more than `limit` bytes.
Result<void> hold_shared(Call& call, SharedMemory& memory, std::size_t limit);
/// Then copies the inputs. On any thread.
/// Errors: Invalid when a client has truncated what it registered.
Result<void> copy_shared(Call& call);
/// Writes an output to where its wish says. On any thread.
/// Errors: Invalid when it does not fit there.
Result<void> write_to_region(const OutputWish& wish, const Tensor& output);

/// Reads infer requests: JSON, JSON with binary tensors behind it, or raw bytes.
///
/// Flow:   Door -> [CallReader] -> model::Server
/// Thread: one shard; keeps its JSON parser's buffers.
/// Errors: Invalid with the JSON path.
class CallReader {
 public:
  CallReader();
  ~CallReader();

  /// `header`: value of Inference-Header-Content-Length, empty if absent. Binary tensors point
  /// into `body`, which they keep alive.
  Result<Call> read(const model::ModelConfig& config, std::shared_ptr<const std::string> body,
                    std::string_view header);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// Reads the outputs of an answer in JSON. Any thread.
/// Errors: Invalid with the JSON path; also when an output is not in `data`.
Result<std::vector<Tensor>> read_answer(const std::string& body);

}  // namespace infiniedge::api::inference
