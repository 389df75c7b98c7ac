// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "model/request.hpp"

namespace infiniedge::model {

/// A request and the answer that every version must give to it.
struct GoldenCase {
  InferRequest request;
  std::vector<Tensor> expected;
};

/// Reads infer JSON of a request and its answer. The door's reader, so that a case means what a
/// client's request means; any thread.
using GoldenReader = std::function<Result<GoldenCase>(const ModelConfig&, std::string request,
                                                      std::string response)>;
/// Runs one checked request and gives all outputs in the model's order.
using GoldenRun = std::function<Result<std::vector<Tensor>>(const std::vector<Tensor>& inputs)>;

/// Runs every `golden/<case>.request.json` of the model in `folder` and compares the answer with
/// `<case>.response.json`. Floats may differ by the tolerance, absolutely or relative to what is
/// expected; everything else must be equal.
/// Errors: Invalid naming case, output, element and both values.
Result<void> check_golden(const std::filesystem::path& folder, const ModelConfig& config,
                          const GoldenReader& reader, const GoldenRun& run);

/// Where `given` differs from `expected`, in a sentence; nothing if it does not.
std::optional<std::string> difference(const Tensor& expected, const Tensor& given,
                                      double tolerance);

}  // namespace infiniedge::model
