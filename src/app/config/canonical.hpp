// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/config/resource.hpp"

namespace infiniedge::app::config {

/// The spec as JSON: scalars typed by the schema, keys in order of the schema. The same meaning
/// gives the same text, so that its hash tells what changed.
std::string spec_json(const Resource& resource);

/// The whole resource in the full spelling, as JSON; `status_json` is put in as it is, if any.
std::string resource_json(const Resource& resource, std::uint64_t version,
                          const std::string& status_json = {});

/// SHA-256 of spec_json, in hex.
std::string spec_hash(const Resource& resource);

}  // namespace infiniedge::app::config
