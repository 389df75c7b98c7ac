// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/request.hpp"

namespace infiniedge::api::inference {

/// How one output is to be returned.
struct OutputWish {
  std::string name;
  bool binary = false;
  std::int64_t classes = 0;  ///< > 0: the best so many as BYTES instead of the values.
};

/// An inference as it came over HTTP.
struct Call {
  model::InferRequest request;
  std::string id{};
  std::vector<OutputWish> outputs{};  ///< Empty: all.
  bool binary_default = false;        ///< Of outputs that say nothing themselves.
};

/// Reads infer requests: JSON, JSON with binary tensors behind it, or raw bytes.
///
/// Flow:   Door -> [CallReader] -> model::Server
/// Thread: one shard; keeps its JSON parser's buffers.
/// Errors: Invalid with the JSON path; Unsupported for shared memory.
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

}  // namespace infiniedge::api::inference
