// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <numbers>

#include "stream/functions.hpp"
#include "stream/kernels.hpp"
#include "stream/wave.hpp"

namespace infiniedge::stream {
namespace {

using kernels::map_float;
using kernels::map_float2;
using kernels::map_floats;
using kernels::map_ints;

#define INFINIEDGE_MATH(expression) \
  [](const Args& a) { return map_float(a, [](double x) -> double { return expression; }); }
#define INFINIEDGE_MATH2(expression)                                               \
  [](const Args& a) {                                                              \
    return map_float2(a, [](double x, double y) -> double { return expression; }); \
  }

Vec round_to(const Args& args) {
  if (args.size() == 1) return map_float(args, [](double x) { return std::round(x); });
  return map_floats(args, [&](std::size_t i) {
    const auto digits = std::clamp<std::int64_t>(args[1].integer(i), -18, 18);
    const double factor = power_of_ten(static_cast<int>(digits < 0 ? -digits : digits));
    const double x = args[0].number(i);
    return digits < 0 ? std::round(x / factor) * factor : std::round(x * factor) / factor;
  });
}

Vec absolute_int(const Args& args) {
  auto out = map_ints(args, Type::Int, [&](std::size_t i) {
    const auto x = args[0].integer(i);
    return x == std::numeric_limits<std::int64_t>::min() ? 0 : std::abs(x);
  });
  for (std::size_t i = 0; i < args.rows; ++i) {
    const bool least = args[0].integer(i) == std::numeric_limits<std::int64_t>::min();
    if (least && !out.null(i)) kernels::fail_row(out, i, args.rows);
  }
  return out;
}

Vec sign_int(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) {
    const auto x = args[0].integer(i);
    return x > 0 ? 1 : x < 0 ? -1 : 0;
  });
}

Vec same_int(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) { return args[0].integer(i); });
}

Vec pi(const Args& args) {
  return map_floats(args, [](std::size_t) { return std::numbers::pi; });
}

constexpr double kDegree = std::numbers::pi / 180;

const std::array kMath = std::to_array<Function>({
    {"abs", "n", Type::Float, INFINIEDGE_MATH(std::abs(x)), absolute_int, true},
    {"sign", "n", Type::Float,
     INFINIEDGE_MATH(x > 0   ? 1
                     : x < 0 ? -1
                             : 0),
     sign_int},
    {"ceil", "n", Type::Float, INFINIEDGE_MATH(std::ceil(x)), same_int, true},
    {"floor", "n", Type::Float, INFINIEDGE_MATH(std::floor(x)), same_int, true},
    {"trunc", "n", Type::Float, INFINIEDGE_MATH(std::trunc(x)), same_int, true},
    {"round", "f?i", Type::Float, round_to, nullptr, true},
    {"sqrt", "f", Type::Float, INFINIEDGE_MATH(std::sqrt(x))},
    {"cbrt", "f", Type::Float, INFINIEDGE_MATH(std::cbrt(x))},
    {"exp", "f", Type::Float, INFINIEDGE_MATH(std::exp(x))},
    {"ln", "f", Type::Float, INFINIEDGE_MATH(std::log(x))},
    {"log", "f", Type::Float, INFINIEDGE_MATH(std::log10(x))},
    {"log10", "f", Type::Float, INFINIEDGE_MATH(std::log10(x))},
    {"log2", "f", Type::Float, INFINIEDGE_MATH(std::log2(x))},
    {"power", "ff", Type::Float, INFINIEDGE_MATH2(std::pow(x, y))},
    {"pow", "ff", Type::Float, INFINIEDGE_MATH2(std::pow(x, y))},
    {"mod", "ff", Type::Float, INFINIEDGE_MATH2(std::fmod(x, y))},
    {"atan2", "ff", Type::Float, INFINIEDGE_MATH2(std::atan2(x, y))},
    {"hypot", "ff", Type::Float, INFINIEDGE_MATH2(std::hypot(x, y))},
    {"sin", "f", Type::Float, INFINIEDGE_MATH(std::sin(x))},
    {"cos", "f", Type::Float, INFINIEDGE_MATH(std::cos(x))},
    {"tan", "f", Type::Float, INFINIEDGE_MATH(std::tan(x))},
    {"asin", "f", Type::Float, INFINIEDGE_MATH(std::asin(x))},
    {"acos", "f", Type::Float, INFINIEDGE_MATH(std::acos(x))},
    {"atan", "f", Type::Float, INFINIEDGE_MATH(std::atan(x))},
    {"sinh", "f", Type::Float, INFINIEDGE_MATH(std::sinh(x))},
    {"cosh", "f", Type::Float, INFINIEDGE_MATH(std::cosh(x))},
    {"tanh", "f", Type::Float, INFINIEDGE_MATH(std::tanh(x))},
    {"degrees", "f", Type::Float, INFINIEDGE_MATH(x / kDegree)},
    {"radians", "f", Type::Float, INFINIEDGE_MATH(x* kDegree)},
    {"pi", "", Type::Float, pi},
});

#undef INFINIEDGE_MATH
#undef INFINIEDGE_MATH2

template <class Fn>
Vec of_wave(const Args& args, Fn fn) {
  return map_floats(args, [&](std::size_t i) {
    // A NULL's placeholder is an empty text, an empty wave, and is not looked at.
    return fn(wave::samples(args[0].view(i)));
  });
}

/// Bytes of float32 from a wave; the other arguments are constants, checked when bound.
template <class Fn>
Vec shape_of_wave(const Args& args, Fn fn) {
  auto out = Vec::make(Type::Bytes, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    if (args[0].null(i)) {
      out.push_null();
    } else {
      out.push_text(wave::pack(fn(wave::samples(args[0].view(i)))));
    }
  }
  return out;
}

std::size_t count(const Args& args, std::size_t index) {
  return static_cast<std::size_t>(args[index].integer(0));
}

Vec wave_onset(const Args& args) {
  return shape_of_wave(args, [&](const std::vector<double>& w) {
    return wave::onset(w, count(args, 1), count(args, 2));
  });
}
Vec wave_envelope(const Args& args) {
  return shape_of_wave(
      args, [&](const std::vector<double>& w) { return wave::envelope(w, count(args, 1)); });
}
Vec wave_spectrum(const Args& args) {
  return shape_of_wave(
      args, [&](const std::vector<double>& w) { return wave::spectrum(w, count(args, 1)); });
}
Vec wave_quantiles(const Args& args) {
  return shape_of_wave(
      args, [&](const std::vector<double>& w) { return wave::quantiles(w, count(args, 1)); });
}
Vec wave_length(const Args& args) {
  return map_ints(args, Type::Int, [&](std::size_t i) {
    return static_cast<std::int64_t>(args[0].view(i).size() / sizeof(float));
  });
}

const std::array kWave = std::to_array<Function>({
    {"wave_rms", "b", Type::Float,
     [](const Args& a) { return of_wave(a, [](const auto& w) { return wave::rms(w); }); }},
    {"wave_peak", "b", Type::Float,
     [](const Args& a) { return of_wave(a, [](const auto& w) { return wave::peak(w); }); }},
    {"wave_mean", "b", Type::Float,
     [](const Args& a) { return of_wave(a, [](const auto& w) { return wave::mean(w); }); }},
    {"wave_length", "b", Type::Int, wave_length},
    {"wave_onset", "bcz", Type::Bytes, wave_onset, nullptr, false, 1},
    {"wave_envelope", "bc", Type::Bytes, wave_envelope, nullptr, false, 1},
    {"wave_spectrum", "bc", Type::Bytes, wave_spectrum, nullptr, false, 1},
    {"wave_quantiles", "bc", Type::Bytes, wave_quantiles, nullptr, false, 1},
});

}  // namespace

std::span<const Function> math_functions() { return kMath; }
std::span<const Function> wave_functions() { return kWave; }

}  // namespace infiniedge::stream
