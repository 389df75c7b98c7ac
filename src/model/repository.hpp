// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/config.hpp"
#include "model/staging.hpp"

namespace infiniedge::model {

/// What is needed to load a model: its configuration and the file of each version to serve.
struct ModelDefinition {
  ModelConfig config;
  std::map<std::int64_t, std::filesystem::path> files;
  std::vector<std::string> warnings{};
  std::filesystem::path folder{};  ///< With golden/ and warmup/; empty: the model has none.
  /// Versions that policy `latest` passes over: what to fall back to when nothing serves.
  std::map<std::int64_t, std::filesystem::path> older{};
  std::optional<std::string> config_json{};     ///< As a client gave it.
  std::shared_ptr<const StagedFiles> staged{};  ///< Holds the files, if a client gave them.
  bool overridden() const { return config_json || staged; }
};

/// A directory in Triton's layout:
///     <root>/<model>/[model.yaml] [config.pbtxt] [labels.txt] [golden/] [warmup/]
///     <root>/<model>/<version>/model.onnx
///
/// Flow:    disk -> [Repository] -> Server
/// Thread:  any worker; it reads files. Holds nothing but the path.
/// Owner:   the server.
/// Errors:  NotFound (no such model, no version), Invalid (configuration, with position),
///          Unsupported (another runtime's model).
class Repository {
 public:
  explicit Repository(std::filesystem::path root) : root_(std::move(root)) {}

  /// Names of the directories that may be models, sorted.
  std::vector<std::string> names() const;
  /// Reads configuration, labels and versions of one model.
  Result<ModelDefinition> read(const std::string& name) const;
  bool has(const std::string& name) const;
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

/// Reads the model in `folder`. `config_json` replaces config.pbtxt and model.yaml.
Result<ModelDefinition> read_model(const std::filesystem::path& folder, const std::string& name,
                                   const std::optional<std::string>& config_json = std::nullopt);

/// Reads what a client gave: its configuration with the repository's files, or its own files
/// alone, staged below `staging`. Errors: Invalid for files without a configuration.
Result<ModelDefinition> read_override(const std::optional<Repository>& repository,
                                      const std::filesystem::path& staging, const std::string& name,
                                      const LoadOverride& given);

/// A definition of one file outside any repository: what a Model resource with `file:` means.
ModelDefinition define_file(std::string name, std::filesystem::path file,
                            std::vector<std::string> classes);

/// True for names that may stand in a path: [A-Za-z0-9._-]{1,255}, not starting with a dot.
bool is_model_name(std::string_view name);

}  // namespace infiniedge::model
