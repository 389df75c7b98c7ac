// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::model {

/// An input or output of a model as its configuration names it.
struct IoConfig {
  std::string name;
  DataType type = DataType::Fp32;
  std::vector<std::int64_t> dims;     ///< Without the batch if max_batch_size ≥ 1; −1 varies.
  std::string label_filename{};       ///< Outputs only; relative to the model's folder.
  std::vector<std::string> labels{};  ///< Its lines, or the resource's `classes`.
  bool optional = false;              ///< Inputs only.
  bool operator==(const IoConfig&) const = default;
};

/// Which of the versions in the repository are served.
struct VersionPolicy {
  enum class Kind { Latest, All, Specific };
  Kind kind = Kind::Latest;
  std::uint32_t latest = 1;
  std::vector<std::int64_t> specific{};
  bool operator==(const VersionPolicy&) const = default;
};

/// How requests wait and are put together.
struct Batching {
  bool enabled = false;                   ///< Take several requests from the queue at once.
  bool declared = false;                  ///< Written by a person, not completed by us.
  std::vector<std::int32_t> preferred{};  ///< Sizes that are sent without waiting for more.
  Micros max_delay{0};                    ///< How long the oldest may wait for them.
  bool preserve_order = false;
  std::size_t max_queue = 0;  ///< 0: from the measured cost.
  Micros timeout{0};          ///< Default deadline in the queue; 0: none.
  bool allow_timeout_override = true;
  bool operator==(const Batching&) const = default;
};

/// Everything that decides how a model is served. `max_batch_size` 0: the model has no batch
/// dimension of its own, and a request is one execution.
struct ModelConfig {
  std::string name;
  std::string platform{}, backend{};
  std::string default_model_filename{};
  std::optional<std::int32_t> max_batch_size{};  ///< Empty until completed from the model.
  std::vector<IoConfig> inputs{}, outputs{};
  std::vector<std::string> classes{};  ///< Labels of every output that names no file.
  VersionPolicy versions{};
  int instances = 1;
  int threads = 1;  ///< Intra-operator threads of one execution.
  Batching batching{};
  bool required = false;  ///< Counts for readiness of the server.
  std::map<std::string, std::string> parameters{};

  int max_batch() const { return max_batch_size.value_or(0); }
};

/// Batch size given to a model whose tensors all start with a dimension that varies.
constexpr std::int32_t kDefaultMaxBatch = 8;

/// Fills what the configuration leaves open from the model itself, and checks the rest against
/// it. Errors: Invalid, naming the tensor and both shapes or types.
Result<void> complete(ModelConfig& config, const Executable& model);

/// ModelConfig as JSON with the names of Triton's protocol; what GET M/config returns.
std::string to_json(const ModelConfig& config);

}  // namespace infiniedge::model
