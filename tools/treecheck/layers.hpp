// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "treecheck/tree.hpp"

namespace infiniedge::treecheck {

/// What each module declared in infiniedge_module(... DEPENDS ...).
using Modules = std::map<std::string, std::set<std::string>, std::less<>>;

/// Reads the list that CMake writes: a line `store: runtime record` for each module.
Modules parse_modules(std::string_view text);

/// A module's place in the module rule, from 0 (base); siblings share it. Nothing: no module of
/// that name may exist.
std::optional<int> rank_of(std::string_view module);

/// Declared dependencies that the module rule forbids.
Findings check_declarations(const Modules& modules);

/// Offending includes of one source file, given by its path from the root and its content.
Findings check_includes(std::string_view file, std::string_view text, const Modules& modules);

/// All of the above for every file below src/ and include/.
Findings check_layers(const std::filesystem::path& root, const Modules& modules);

}  // namespace infiniedge::treecheck
