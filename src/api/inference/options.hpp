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

/// Body of load and unload: empty or {"parameters": {…}}. `unload_dependents` is accepted.
/// Errors: Invalid with the path; Unsupported for `config` and `file:` overrides.
Result<void> read_load_options(const std::string& body);

}  // namespace infiniedge::api::inference
