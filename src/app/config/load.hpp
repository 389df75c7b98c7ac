// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/config/resource.hpp"

namespace infiniedge::app::config {

/// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// getenv(3).
Environment process_environment();

/// Reads files and directories (`*.yaml *.yml *.json` but `*.test.yaml`, byte order, not
/// recursive; `-` is standard input), replaces `${N}`, `${N:-default}`, `${N:?message}` and `$$`
/// in scalar values, and reads the envelopes. A path that cannot be read is a diagnostic.
Loaded load(const std::vector<std::string>& paths, const Environment& environment);

/// Reads a body that came over the API: `${` is refused there.
Loaded load_body(const std::string& text, const std::string& name);

}  // namespace infiniedge::app::config
