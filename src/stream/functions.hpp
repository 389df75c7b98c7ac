// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stream/node.hpp"

namespace infiniedge::stream {

/// A scalar function whose result depends on the row alone.
struct Function {
  std::string_view name;
  /// One letter an argument: f number, i whole number, c whole constant 1..65536 (z: from 0), k
  /// text constant, s text, b bytes, n number (all whole: `int_kernel`). `*` repeats the letter
  /// before it, `?` makes what follows optional.
  std::string_view params;
  Type result = Type::Float;
  Kernel kernel = nullptr;
  Kernel int_kernel = nullptr;  ///< For n: result Int.
  bool keeps_unit = false;      ///< The result has the unit of the first argument.
  int width_arg = -1;           ///< The result holds as many floats as this constant says.

  std::size_t min_args() const;
  std::size_t max_args() const;
  char param(std::size_t index) const;
};

enum class FunctionKind { None, Scalar, Special, Aggregate, Analytic, Model };

/// Null if there is none of that name (lower case).
const Function* find_function(std::string_view name);
/// What a name of a call means; Special: coalesce and others whose types follow from the
/// arguments.
FunctionKind kind_of_function(std::string_view name);
/// For suggestions.
const std::vector<std::string>& function_names();

std::span<const Function> math_functions();
std::span<const Function> text_functions();
std::span<const Function> wave_functions();

/// How to convert between units of one dimension: to = from · factor + offset. Nothing: unknown
/// or of another dimension.
struct Conversion {
  double factor = 1, offset = 0;
};
std::optional<Conversion> conversion(std::string_view from, std::string_view to);

}  // namespace infiniedge::stream
