// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config/resource.hpp"
#include "app/config/schema.hpp"

namespace infiniedge::app::config {

/// Checks the specs of all resources against their schemas: names, types, bounds, required
/// fields, secrets in clear, YAML 1.1 traps. Finds all faults at once.
void check_schema(const std::vector<Resource>& resources, const Parts& parts,
                  base::Diagnostics& out);

/// Checks one connector option; empty if the text is right, else what is wrong with it.
std::string option_fault(const Option& option, const base::yaml::Node& value);

}  // namespace infiniedge::app::config
