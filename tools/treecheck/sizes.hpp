// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "treecheck/tree.hpp"

namespace infiniedge::treecheck {

inline constexpr std::size_t kLongestFile = 600;
inline constexpr std::size_t kLongestContract = 250;
inline constexpr std::size_t kLongestFunction = 60;

/// Length of the file and of its functions, and its licence line.
Findings check_source(std::string_view file, std::string_view text);

/// A file or folder name that says nothing: utils, common, helper, manager, misc.
Findings check_name(std::string_view file);

/// All of the above for the whole tree, and a README.md in every module.
Findings check_sizes(const std::filesystem::path& root);

}  // namespace infiniedge::treecheck
