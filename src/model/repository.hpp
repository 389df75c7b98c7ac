// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/config.hpp"

namespace infiniedge::model {

/// What is needed to load a model: its configuration and the file of each version to serve.
struct ModelDefinition {
  ModelConfig config;
  std::map<std::int64_t, std::filesystem::path> files;
  std::vector<std::string> warnings{};
};

/// A directory in Triton's layout:
///     <root>/<model>/[model.yaml] [config.pbtxt] [labels.txt]
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
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

/// A definition of one file outside any repository: what a Model resource with `file:` means.
ModelDefinition define_file(std::string name, std::filesystem::path file,
                            std::vector<std::string> classes);

/// True for names that may stand in a path: [A-Za-z0-9._-]{1,255}, not starting with a dot.
bool is_model_name(std::string_view name);

}  // namespace infiniedge::model
