// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "api/inference/log_settings.hpp"
#include "api/inference/shared_memory.hpp"
#include "api/inference/trace_settings.hpp"
#include "infiniedge/result.hpp"
#include "model/staging.hpp"

namespace infiniedge::api::inference {

// Bodies of the routes that steer the server. Errors: Invalid with the JSON path.

struct IndexOptions {
  bool ready = false;  ///< Only models that are ready.
};

/// Of repository/index: empty or {"ready": bool}.
Result<IndexOptions> read_index_options(const std::string& body);

struct LoadOptions {
  model::LoadOverride given{};  ///< What the client brings instead of the repository's files.
  bool unload_dependents = false;
};

/// Of load and unload: empty or {"parameters": {…}}. `file:<path>` is base64 and needs `config`.
Result<LoadOptions> read_load_options(const std::string& body);

/// Of a registration of system shared memory: {"key", "offset"?, "byte_size"}.
Result<SharedRegion> read_region(std::string name, const std::string& body);

/// Of trace/setting: values are strings or numbers, or arrays of them; null clears.
Result<TraceSettings::Update> read_trace_update(const std::string& body);

Result<LogSettings> read_log_settings(const std::string& body);

}  // namespace infiniedge::api::inference
