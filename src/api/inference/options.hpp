// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

struct IndexOptions {
  bool ready = false;  ///< Only models that are ready.
};

/// Body of repository/index: empty or {"ready": bool}. Errors: Invalid with the path.
Result<IndexOptions> read_index_options(const std::string& body);

struct LoadOptions {
  bool unload_dependents = false;  ///< With an ensemble, its models.
};

/// Body of load and unload: empty or {"parameters": {…}}.
/// Errors: Invalid with the path; Unsupported for `config` and `file:` overrides.
Result<LoadOptions> read_load_options(const std::string& body);

}  // namespace infiniedge::api::inference
