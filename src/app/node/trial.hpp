// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "infiniedge/time.hpp"
#include "model/loading.hpp"

namespace infiniedge::app {

/// Runs a program that may die and waits for it: `input` is its standard input, and it inherits no
/// other descriptor. Blocks.
/// Errors: Corrupt when a signal ended it; Timeout after `limit`, when it is killed; what it wrote
///         to standard error when it exits with another status than 0, with the code of the status.
Result<void> run_apart(const std::vector<std::string>& command, const std::string& input,
                       Micros limit);

/// Loads models first with `infiniedge model check`, in a process of their own.
class ProcessTrial final : public model::Trial {
 public:
  /// `plugins`: folder of other people's backends; may be empty.
  explicit ProcessTrial(std::string plugins) : plugins_(std::move(plugins)) {}

  Result<model::TrialReport> run(const model::ModelDefinition& definition) override;

 private:
  std::string plugins_;
};

}  // namespace infiniedge::app
