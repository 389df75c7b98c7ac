// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string_view>

#include "stream/node.hpp"

namespace infiniedge::stream::kernels {

// Operators by name; the arguments have been brought to one type, `type`, before.
Kernel arithmetic(std::string_view op, Type type);  ///< + - * / %; "/" only for Float.
Kernel comparison(std::string_view op, Type type);  ///< = <> < <= > >=
Kernel negate(Type type);
Kernel conjunction();  ///< Three-valued: FALSE AND NULL is FALSE.
Kernel disjunction();
Kernel negation();
Kernel is_null(bool negated);
Kernel in_list(Type type);
Kernel like();
Kernel case_when(Type type);  ///< when, then, …, [else]
Kernel coalesce(Type type);
Kernel null_if(Type type);
Kernel greatest(Type type);
Kernel least(Type type);
/// Null when there is no such cast. Text that does not read as the type is an error.
Kernel cast(Type from, Type to);
Kernel time_bucket();  ///< size, ts [, offset], in µs

/// Marks as NULL every row where an argument is.
inline std::vector<std::uint8_t> nulls_of(const Args& args) {
  std::vector<std::uint8_t> out;
  for (const auto* arg : args.values) {
    if (arg->nulls.empty()) continue;
    if (out.empty()) out.assign(args.rows, 0);
    for (std::size_t i = 0; i < args.rows; ++i) out[i] |= arg->nulls[arg->at(i)];
  }
  return out;
}

/// Marks rows as failed: NULL, and counted.
inline void fail_row(Vec& out, std::size_t row, std::size_t rows) {
  if (out.nulls.empty()) out.nulls.assign(rows, 0);
  out.nulls[row] = 1;
  out.errors.push_back(static_cast<std::uint32_t>(row));
}

/// Numbers to one number. What is not finite (√−1, 1/0, overflow) is an error.
template <class Fn>
Vec map_floats(const Args& args, Fn fn) {
  Vec out;
  out.type = Type::Float;
  out.own_floats.resize(args.rows);
  out.nulls = nulls_of(args);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const double value = fn(i);
    out.own_floats[i] = value;
    const bool failed = !std::isfinite(value) && (out.nulls.empty() || out.nulls[i] == 0);
    if (failed) fail_row(out, i, args.rows);
  }
  return out;
}

template <class Fn>
Vec map_float(const Args& args, Fn fn) {
  const auto* x = args[0].floats();
  if (args[0].constant) return map_floats(args, [&](std::size_t) { return fn(x[0]); });
  return map_floats(args, [&](std::size_t i) { return fn(x[i]); });
}

template <class Fn>
Vec map_float2(const Args& args, Fn fn) {
  const auto &a = args[0], &b = args[1];
  const auto *x = a.floats(), *y = b.floats();
  if (a.constant || b.constant) {
    return map_floats(args, [&](std::size_t i) { return fn(x[a.at(i)], y[b.at(i)]); });
  }
  return map_floats(args, [&](std::size_t i) { return fn(x[i], y[i]); });
}

/// Texts to one text. `fn(row)` returns something that converts to string_view.
template <class Fn>
Vec map_text(const Args& args, Fn fn) {
  auto out = Vec::make(Type::String, args.rows);
  const auto nulls = nulls_of(args);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (!nulls.empty() && nulls[i] != 0) {
      out.push_null();
    } else {
      out.push_text(fn(i));
    }
  }
  return out;
}

/// Anything to an integer or bool.
template <class Fn>
Vec map_ints(const Args& args, Type type, Fn fn) {
  Vec out;
  out.type = type;
  out.own_ints.resize(args.rows);
  out.nulls = nulls_of(args);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (out.nulls.empty() || out.nulls[i] == 0) out.own_ints[i] = fn(i);
  }
  return out;
}

}  // namespace infiniedge::stream::kernels
