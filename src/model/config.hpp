// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "infiniedge/time.hpp"
#include "model/ensemble_config.hpp"
#include "model/sequence_config.hpp"

namespace infiniedge::model {

/// An input or output of a model as its configuration names it.
struct IoConfig {
  std::string name;
  DataType type = DataType::Fp32;
  std::vector<std::int64_t> dims;     ///< Without the batch if max_batch_size ≥ 1; −1 varies.
  std::string label_filename{};       ///< Outputs only; relative to the model's folder.
  std::vector<std::string> labels{};  ///< Its lines, or the resource's `classes`.
  bool optional = false;              ///< Inputs only.
  /// What the model itself takes or gives where clients see `dims`; same number of elements.
  std::optional<std::vector<std::int64_t>> reshape{};
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

/// What may wait before a model, and how long.
struct QueuePolicy {
  std::size_t max_size = 0;       ///< 0: from the measured cost.
  Micros timeout{0};              ///< Default deadline in the queue; 0: none.
  bool delay_on_timeout = false;  ///< Behind all others, instead of refused.
  bool allow_timeout_override = true;
  bool operator==(const QueuePolicy&) const = default;
};

/// How requests wait and are put together.
struct Batching {
  bool enabled = false;                   ///< Take several requests from the queue at once.
  bool declared = false;                  ///< Written by a person, not completed by us.
  std::vector<std::int32_t> preferred{};  ///< Sizes that are sent without waiting for more.
  Micros max_delay{0};                    ///< How long the oldest may wait for them.
  bool preserve_order = false;
  std::uint32_t priority_levels = 0;   ///< 0: no levels. Level 1 is the most urgent.
  std::uint32_t default_priority = 0;  ///< Of requests that name none; 0: the middle level.
  QueuePolicy queue{};
  std::map<std::uint32_t, QueuePolicy> level_queues{};  ///< Where a level differs from `queue`.
  bool operator==(const Batching&) const = default;
};

/// A request made of nothing, run before a version answers.
struct Warmup {
  enum class Data { Zero, Random, File };
  struct Input {
    DataType type = DataType::Fp32;
    std::vector<std::int64_t> dims{};  ///< Complete, without the batch.
    Data data = Data::Zero;
    std::string file{};  ///< Raw bytes in warmup/, little-endian.
    bool operator==(const Input&) const = default;
  };
  std::string name;
  std::int32_t batch_size = 1;
  std::map<std::string, Input> inputs{};
  std::uint32_t count = 1;
  bool operator==(const Warmup&) const = default;
};

/// Answers kept for the same request.
struct CacheConfig {
  bool enabled = false;
  Micros ttl{Seconds{60}};
  bool operator==(const CacheConfig&) const = default;
};

/// Everything that decides how a model is served. `max_batch_size` 0: the model has no batch
/// dimension of its own, and a request is one execution.
struct ModelConfig {
  std::string name;
  std::string platform{}, backend{}, runtime{};
  std::string default_model_filename{};
  std::optional<std::int32_t> max_batch_size{};  ///< Empty until completed from the model.
  std::vector<IoConfig> inputs{}, outputs{};
  std::vector<std::string> classes{};  ///< Labels of every output that names no file.
  VersionPolicy versions{};
  int instances = 1;
  int threads = 1;  ///< Intra-operator threads of one execution.
  Batching batching{};
  std::optional<SequenceBatching> sequences{};
  std::vector<EnsembleStep> steps{};        ///< Of an ensemble, which has no model of its own.
  std::vector<Accelerator> accelerators{};  ///< Tried in order, before the CPU.
  std::vector<Warmup> warmups{};            ///< Empty: one item of zeros.
  CacheConfig cache{};
  std::map<std::string, std::string> parameters{}, metric_tags{};

  // What model.yaml alone can say.
  bool required = false;                ///< Counts for readiness of the server.
  std::uint64_t memory = 0;             ///< Bytes it needs as the author knows; 0: measured.
  std::optional<Micros> idle_unload{};  ///< Unloaded after so long without a request.
  bool stop_first = false;  ///< Where two copies do not fit, the old stops before the new loads.
  double golden_tolerance = 1e-3;

  bool operator==(const ModelConfig&) const = default;

  int max_batch() const { return max_batch_size.value_or(0); }
  bool is_ensemble() const { return !steps.empty(); }
};

/// Batch size given to a model whose tensors all start with a dimension that varies.
constexpr std::int32_t kDefaultMaxBatch = 8;

/// Fills what the configuration leaves open from the model itself, and checks the rest against
/// it. Errors: Invalid, naming the tensor and both shapes or types.
Result<void> complete(ModelConfig& config, const Executable& model);

/// "TYPE_FP32", "TYPE_STRING": a data type in ModelConfig.
std::string protocol_name(DataType type);

/// ModelConfig as JSON with the names of Triton's protocol; what GET M/config returns.
std::string to_json(const ModelConfig& config);

}  // namespace infiniedge::model
