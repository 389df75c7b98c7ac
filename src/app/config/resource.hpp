// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config/schema.hpp"
#include "base/diagnostic.hpp"
#include "base/yaml.hpp"

namespace infiniedge::app::config {

/// A resource as a person wrote it: the envelope read, the spec still a tree with positions.
struct Resource {
  const KindSpec* kind = nullptr;
  std::string name;
  std::string space = "default";  ///< Namespace.
  std::map<std::string, std::string> labels, annotations;
  base::yaml::Node spec;
  std::string file;
  base::yaml::Mark mark;  ///< Of the name.

  std::string id() const { return std::string{kind->kind} + "/" + name; }
};

/// Texts by file name: diagnostics print the lines at fault.
using Sources = std::map<std::string, std::string>;

struct Loaded {
  std::vector<Resource> resources;
  base::Diagnostics diagnostics;
  Sources sources;
};

/// Reads the envelope of every document: short spelling (`infiniedge: v1`) and full spelling
/// (`apiVersion: infiniedge.io/v1`). Specs are not checked yet.
void read_envelopes(const std::vector<base::yaml::Node>& documents, const std::string& file,
                    Loaded& out);

/// Adds a fault at `mark`.
base::Diagnostic& add(base::Diagnostics& out, const std::string& file, const base::yaml::Mark& mark,
                      std::string id, std::string message, std::string suggestion = {});

}  // namespace infiniedge::app::config
