// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::treecheck {

/// The same text with comments, literals and preprocessor lines replaced by blanks; line feeds
/// stay, so that positions and line numbers hold.
std::string blank_out(std::string_view text);

/// A function definition: where its signature starts, and how long it is with its body.
struct Function {
  std::size_t line = 0;
  std::size_t lines = 0;
  std::string signature;  ///< Its beginning, on one line.
};

/// Function definitions of a C++ file, found by their braces. A lambda, a local class and a
/// nested block count as part of the function around them; TEST(...) {...} is a function.
std::vector<Function> find_functions(std::string_view text);

}  // namespace infiniedge::treecheck
