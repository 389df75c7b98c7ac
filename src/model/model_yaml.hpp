// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/yaml.hpp"
#include "model/config.hpp"

namespace infiniedge::model {

struct YamlDraft;

/// One key of model.yaml: what reads it and what `infiniedge explain model.yaml` says of it.
struct YamlKey {
  std::string_view name, type, fallback, doc;
  std::span<const YamlKey> keys{};  ///< Of the mapping, or of an element of the list.
  Result<void> (*read)(YamlDraft&, const base::yaml::Node::Entry&) = nullptr;
};

std::span<const YamlKey> model_yaml_keys();

/// Lays a `model.yaml` over `config`, key by key.
///
/// Errors: Invalid with "file:line:column: sentence" and a suggestion for an unknown key.
Result<void> read_model_yaml(std::string_view text, const std::string& file, ModelConfig& config);

}  // namespace infiniedge::model
