// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "table.hpp"

namespace infiniedge::tests {

/// Path of a recording below ../shared/data.
std::string recording(const std::string& name);

/// Why expectations cannot be computed here, for GTEST_SKIP; empty if they can.
std::string not_here(const std::string& recording_name);

/// Runs `setup`, then a table a query, in the Python package duckdb of the test peers: another
/// reader of the raw files, which shares no code with the connector and the rules.
/// Adds a failure, and returns empty tables, when a statement does not run.
std::vector<Table> ask_duckdb(const std::vector<std::string>& setup,
                              const std::vector<std::string>& queries);

}  // namespace infiniedge::tests
