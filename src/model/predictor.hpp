// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/predictor.hpp"
#include "model/answer.hpp"
#include "model/server.hpp"

namespace infiniedge::model {

/// Lays feature rows into one tensor of the model's input: [n, D], FP32 or FP64.
/// Errors: Invalid, naming the row whose length is not D; Unsupported for other inputs.
Result<Tensor> features_tensor(const ModelConfig& config, const std::vector<Sample>& samples,
                               std::size_t from, std::size_t count);

/// Length of a feature row that the model takes, or 0 if any.
/// Errors: Unsupported for a model that has another input than one of FP32 or FP64.
Result<std::size_t> feature_width(const ModelConfig& config);

/// Answers samples with the model alone, without a cascade.
///
/// Flow:    stream -> [ServerPredictor] -> Server
/// Thread:  the server's shard.
/// Owner:   app; the server outlives it.
/// Errors:  NotFound, Unavailable for the whole call; what fails for a part of the samples
///          stands in their predictions.
class ServerPredictor final : public Predictor {
 public:
  explicit ServerPredictor(Server& server) : server_(server) {}

  Result<std::size_t> width(const std::string& model) const override;
  Task<Result<std::vector<Prediction>>> predict(const std::string& model,
                                                std::vector<Sample> samples) override;

 private:
  Server& server_;
};

/// The answers of a model to samples, in order; in batches that the model takes.
/// Errors: as Server::infer, and Invalid when a row has the wrong length.
Task<Result<std::vector<Answer>>> ask(Server& server, std::string model,
                                      std::vector<Sample> samples, std::optional<Micros> timeout);

}  // namespace infiniedge::model
