// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "stream/kernels.hpp"

namespace infiniedge::stream::kernels {
namespace {

/// `fn(a, b, &out)` returns true on overflow or division by zero.
template <class Fn>
Vec map_checked(const Args& args, Fn fn) {
  Vec out;
  out.type = Type::Int;
  out.own_ints.resize(args.rows);
  out.nulls = nulls_of(args);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (!out.nulls.empty() && out.nulls[i] != 0) continue;
    if (fn(args[0].integer(i), args[1].integer(i), &out.own_ints[i])) fail_row(out, i, args.rows);
  }
  return out;
}

Vec add_ints(const Args& args) {
  return map_checked(args, [](std::int64_t a, std::int64_t b, std::int64_t* out) {
    return __builtin_add_overflow(a, b, out);
  });
}
Vec subtract_ints(const Args& args) {
  return map_checked(args, [](std::int64_t a, std::int64_t b, std::int64_t* out) {
    return __builtin_sub_overflow(a, b, out);
  });
}
Vec multiply_ints(const Args& args) {
  return map_checked(args, [](std::int64_t a, std::int64_t b, std::int64_t* out) {
    return __builtin_mul_overflow(a, b, out);
  });
}
Vec remainder_ints(const Args& args) {
  return map_checked(args, [](std::int64_t a, std::int64_t b, std::int64_t* out) {
    if (b == 0) return true;
    *out = b == -1 ? 0 : a % b;  // INT64_MIN % −1 traps
    return false;
  });
}
Vec negate_ints(const Args& args) {
  auto out = map_ints(args, Type::Int, [&](std::size_t i) {
    const auto value = args[0].integer(i);
    return value == std::numeric_limits<std::int64_t>::min() ? 0 : -value;
  });
  for (std::size_t i = 0; i < args.rows; ++i) {
    const bool least = args[0].integer(i) == std::numeric_limits<std::int64_t>::min();
    if (least && !out.null(i)) fail_row(out, i, args.rows);
  }
  return out;
}

Vec int_to_float(const Args& args) {
  const auto& x = args[0];
  return map_floats(args, [&](std::size_t i) { return static_cast<double>(x.integer(i)); });
}
Vec float_to_int(const Args& args) {
  auto out = map_ints(args, Type::Int, [&](std::size_t i) {
    const double value = args[0].number(i);
    return std::abs(value) < 9.2e18 ? std::llround(value) : 0;
  });
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (!out.null(i) && !(std::abs(args[0].number(i)) < 9.2e18)) fail_row(out, i, args.rows);
  }
  return out;
}
Vec float_to_bool(const Args& args) {
  return map_ints(args, Type::Bool, [&](std::size_t i) { return args[0].number(i) != 0; });
}
Vec int_to_bool(const Args& args) {
  return map_ints(args, Type::Bool, [&](std::size_t i) { return args[0].integer(i) != 0; });
}
Vec bool_to_int(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) { return args[0].integer(i); });
}
Vec number_to_text(const Args& args) {
  return map_text(args, [&](std::size_t i) -> std::string {
    if (args[0].is_float()) return fmt::format("{}", args[0].number(i));
    return fmt::format("{}", args[0].integer(i));
  });
}
Vec bool_to_text(const Args& args) {
  return map_text(args, [&](std::size_t i) { return args[0].integer(i) != 0 ? "true" : "false"; });
}
Vec text_to_bytes(const Args& args) {
  auto out = map_text(args, [&](std::size_t i) { return args[0].view(i); });
  out.type = Type::Bytes;
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && at == end && !text.empty();
}

Vec text_to_float(const Args& args) {
  auto out = Vec::make(Type::Float, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    double value = 0;
    if (args[0].null(i)) {
      out.push_null();
    } else if (read_number(args[0].view(i), value) && std::isfinite(value)) {
      out.push_float(value);
    } else {
      out.push_error();
    }
  }
  return out;
}
Vec text_to_int(const Args& args) {
  auto out = Vec::make(Type::Int, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    std::int64_t value = 0;
    if (args[0].null(i)) {
      out.push_null();
    } else if (read_number(args[0].view(i), value)) {
      out.push_int(value);
    } else {
      out.push_error();
    }
  }
  return out;
}
Vec text_to_bool(const Args& args) {
  auto out = Vec::make(Type::Bool, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const auto text = args[0].null(i) ? std::string_view{} : trimmed(args[0].view(i));
    if (args[0].null(i)) {
      out.push_null();
    } else if (text == "true" || text == "1") {
      out.push_int(1);
    } else if (text == "false" || text == "0") {
      out.push_int(0);
    } else {
      out.push_error();
    }
  }
  return out;
}

Vec bucket(const Args& args) {
  auto out = Vec::make(Type::Int, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (args[0].null(i) || args[1].null(i) || (args.size() > 2 && args[2].null(i))) {
      out.push_null();
      continue;
    }
    const auto size = args[0].integer(i);
    const auto offset = args.size() > 2 ? args[2].integer(i) : 0;
    std::int64_t shifted = 0;
    if (size <= 0 || __builtin_sub_overflow(args[1].integer(i), offset, &shifted)) {
      out.push_error();
      continue;
    }
    const auto rest = shifted % size;
    std::int64_t start = 0;
    const bool over = __builtin_sub_overflow(shifted, rest < 0 ? rest + size : rest, &start) ||
                      __builtin_add_overflow(start, offset, &start);
    over ? out.push_error() : out.push_int(start);
  }
  return out;
}

}  // namespace

Kernel arithmetic(std::string_view op, Type type) {
  const bool ints = type == Type::Int;
  if (op == "+" && ints) return add_ints;
  if (op == "-" && ints) return subtract_ints;
  if (op == "*" && ints) return multiply_ints;
  if (op == "%" && ints) return remainder_ints;
  if (op == "+") {
    return [](const Args& a) { return map_float2(a, [](double x, double y) { return x + y; }); };
  }
  if (op == "-") {
    return [](const Args& a) { return map_float2(a, [](double x, double y) { return x - y; }); };
  }
  if (op == "*") {
    return [](const Args& a) { return map_float2(a, [](double x, double y) { return x * y; }); };
  }
  if (op == "/") {
    return [](const Args& a) { return map_float2(a, [](double x, double y) { return x / y; }); };
  }
  return [](const Args& a) {
    return map_float2(a, [](double x, double y) { return std::fmod(x, y); });
  };
}

Kernel negate(Type type) {
  if (type == Type::Int) return negate_ints;
  return [](const Args& a) { return map_float(a, [](double x) { return -x; }); };
}

Kernel cast(Type from, Type to) {
  constexpr struct {
    Type from, to;
    Kernel kernel;
  } kCasts[] = {
      {Type::Int, Type::Float, int_to_float},    {Type::Bool, Type::Float, int_to_float},
      {Type::Float, Type::Int, float_to_int},    {Type::Bool, Type::Int, bool_to_int},
      {Type::Int, Type::Bool, int_to_bool},      {Type::Float, Type::Bool, float_to_bool},
      {Type::Int, Type::String, number_to_text}, {Type::Float, Type::String, number_to_text},
      {Type::Bool, Type::String, bool_to_text},  {Type::String, Type::Float, text_to_float},
      {Type::String, Type::Int, text_to_int},    {Type::String, Type::Bool, text_to_bool},
      {Type::String, Type::Bytes, text_to_bytes}};
  for (const auto& entry : kCasts) {
    if (entry.from == from && entry.to == to) return entry.kernel;
  }
  return nullptr;
}

Kernel time_bucket() { return bucket; }

}  // namespace infiniedge::stream::kernels
