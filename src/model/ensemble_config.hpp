// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace infiniedge::model {

/// One model of an ensemble, and which of the ensemble's tensors it takes and gives.
struct EnsembleStep {
  std::string model;
  std::int64_t version = -1;                   ///< −1: the highest that is ready.
  std::map<std::string, std::string> inputs;   ///< Input of the model → tensor.
  std::map<std::string, std::string> outputs;  ///< Output of the model → tensor.
  std::string at{};                            ///< "file:line:column" of its definition.
  bool operator==(const EnsembleStep&) const = default;
};

}  // namespace infiniedge::model
