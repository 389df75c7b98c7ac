// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/config.hpp"
#include "model/request.hpp"

namespace infiniedge::model {

/// What flows where in an ensemble: which step makes each tensor, and which steps wait for it.
struct EnsembleGraph {
  struct Edge {
    std::string name;        ///< The model's.
    std::size_t tensor = 0;  ///< Of `tensors`.
  };
  struct Step {
    std::vector<Edge> inputs, outputs;
  };
  std::vector<std::string> tensors{};    ///< The ensemble's; its inputs come first, in order.
  std::vector<Step> steps{};             ///< Parallel to ModelConfig::steps.
  std::vector<std::size_t> outputs{};    ///< Of `tensors`, parallel to ModelConfig::outputs.
  std::vector<std::size_t> execution{};  ///< Steps, each after those that feed it.
};

/// Lays out an ensemble's tensors. Errors: Invalid, with the position of the step: a tensor that
/// nothing gives or two things give, a cycle, no inputs or outputs.
Result<EnsembleGraph> make_graph(const ModelConfig& config);

/// Configuration of a part's version, or why none is ready.
using FindConfig =
    std::function<Result<std::shared_ptr<const ModelConfig>>(const EnsembleStep& step)>;

/// Checks an ensemble against its models. Errors: NotFound and Unavailable (a model), Invalid
/// (tensors that a model lacks or that do not fit), with the position of the step.
Result<void> check_parts(const ModelConfig& config, const EnsembleGraph& graph,
                         const FindConfig& find);

class Server;

/// Runs an ensemble for one request: each step starts as soon as its inputs are there, and they
/// are the very bytes that another step gave.
///
/// Thread: the server's shard. The caller keeps server, configuration and graph alive.
/// Errors: that of the first step that fails; the others are given up. Timeout, Cancelled.
struct EnsembleCall {
  std::optional<Instant> deadline{};
  std::uint32_t priority = 0;
  std::optional<SequenceId> sequence{};
  std::stop_token cancel{};
};
Task<Result<std::vector<Tensor>>> run_ensemble(Server& server, Clock& clock,
                                               std::shared_ptr<const ModelConfig> config,
                                               std::shared_ptr<const EnsembleGraph> graph,
                                               std::vector<Tensor> inputs, EnsembleCall call);

}  // namespace infiniedge::model
