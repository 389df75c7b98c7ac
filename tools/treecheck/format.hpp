// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace infiniedge::treecheck {

enum class Formatted { Yes, No, Unknown };

/// Asks clang-format 19 about every C++ file of the project; it prints what it would change.
/// Unknown: it is not installed.
Formatted check_format(const std::filesystem::path& root);

}  // namespace infiniedge::treecheck
