// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>

#include "app/config/resource.hpp"
#include "app/config/typed.hpp"
#include "infiniedge/predictor.hpp"
#include "model/repository.hpp"

namespace infiniedge::app::config {

/// What a Model resource means to the model server: files, and what the resource says about them.
/// Errors: those of Repository::read; Unsupported, naming a key of `serve`, or a device that no
///         backend has.
Result<model::ModelDefinition> definition_of(const ModelResource& model);

/// The models of a set of files, loaded for a moment to see whether they can be, and what they
/// take: validation without a node.
///
/// Thread: any, one at a time.
/// Owner:  the command.
class ModelFiles final : public Predictor {
 public:
  /// `repository`: of the node that the files are for; empty: none.
  explicit ModelFiles(std::string repository) : repository_(std::move(repository)) {}

  /// Loads every model. One that cannot be is a fault at its `source`.
  void load(const std::vector<Resource>& resources, const Site& site, base::Diagnostics& out);

  Result<std::size_t> width(const std::string& model) const override;
  /// Errors: always Unsupported; no row flows in validation.
  Task<Result<std::vector<Prediction>>> predict(const std::string& model,
                                                std::vector<Sample> samples) override;

 private:
  std::string repository_;
  std::map<std::string, Result<std::size_t>> widths_;
  std::set<std::string> elsewhere_;  ///< In the repository: judged by the node that loads it.
};

}  // namespace infiniedge::app::config
