// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/golden.hpp"
#include "model/repository.hpp"
#include "model/served.hpp"

namespace infiniedge::model {

using Built = std::vector<std::shared_ptr<Served>>;

/// Makes the versions of `definition` ready to answer: loads every instance, completes the
/// configuration from the model, warms up, and checks the golden cases. All or nothing.
///
/// Thread: a worker.
/// Errors: what the runtime says, with the version; Invalid for a golden case that fails; an
///         exception of the runtime is Internal. What ends the process cannot be caught here:
///         that is what a Trial is for.
Result<Built> build_versions(const ModelDefinition& definition, Backend& backend,
                             const GoldenReader& golden);

/// What a load in a process of its own has shown.
struct TrialReport {
  std::uint64_t memory = 0;  ///< Bytes that the load added to that process; 0: not known.
};

/// Loads what is to replace a version that serves where it can do no harm: a file may make a
/// runtime abort or take all memory.
///
/// Thread: a worker; blocks as long as the load takes.
/// Owner:  app; outlives the server.
/// Errors: Corrupt when the other process died, saying how; Timeout; else what loading says.
class Trial {
 public:
  virtual ~Trial() = default;
  virtual Result<TrialReport> run(const ModelDefinition& definition) = 0;
};

}  // namespace infiniedge::model
