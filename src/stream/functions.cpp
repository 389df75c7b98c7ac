// SPDX-License-Identifier: Apache-2.0
#include "stream/functions.hpp"

#include <algorithm>
#include <array>

#include "stream/aggregate.hpp"
#include "stream/analytic.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::string_view kSpecial[] = {"coalesce",     "ifnull",     "nullif",
                                         "greatest",     "least",      "time_bucket",
                                         "window_start", "window_end", "unit"};
constexpr std::size_t kMaxArgs = 1000;

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::size_t Function::min_args() const {
  std::size_t n = 0;
  for (const char c : params) {
    if (c == '?') break;
    if (c != '*') ++n;
  }
  return n;
}

std::size_t Function::max_args() const {
  if (params.find('*') != std::string_view::npos) return kMaxArgs;
  return params.size() - (params.find('?') != std::string_view::npos ? 1 : 0);
}

char Function::param(std::size_t index) const {
  char last = 'f';
  std::size_t n = 0;
  for (const char c : params) {
    if (c == '?' || c == '*') continue;
    last = c;
    if (n++ == index) break;
  }
  return last;
}

const Function* find_function(std::string_view name) {
  for (const auto table : {math_functions(), text_functions(), wave_functions()}) {
    for (const auto& function : table) {
      if (function.name == name) return &function;
    }
  }
  return nullptr;
}

FunctionKind kind_of_function(std::string_view name) {
  if (name == "model") return FunctionKind::Model;
  if (has(kSpecial, name)) return FunctionKind::Special;
  if (is_aggregate(name)) return FunctionKind::Aggregate;
  if (is_analytic(name)) return FunctionKind::Analytic;
  return find_function(name) != nullptr ? FunctionKind::Scalar : FunctionKind::None;
}

const std::vector<std::string>& function_names() {
  static const auto kNames = [] {
    std::vector<std::string> out{"model"};
    for (const auto table : {math_functions(), text_functions(), wave_functions()}) {
      for (const auto& function : table) out.emplace_back(function.name);
    }
    out.insert(out.end(), std::begin(kSpecial), std::end(kSpecial));
    for (const auto name : aggregate_names()) out.emplace_back(name);
    for (const auto name : analytic_names()) out.emplace_back(name);
    return out;
  }();
  return kNames;
}

namespace {

struct Unit {
  std::string_view code, dimension;
  double factor, offset;  ///< base = value · factor + offset
};

constexpr std::array kUnits = std::to_array<Unit>({
    {"K", "T", 1, 0},
    {"Cel", "T", 1, 273.15},
    {"[degF]", "T", 5.0 / 9, 459.67 * 5 / 9},
    {"m", "L", 1, 0},
    {"mm", "L", 1e-3, 0},
    {"cm", "L", 1e-2, 0},
    {"km", "L", 1e3, 0},
    {"um", "L", 1e-6, 0},
    {"[in_i]", "L", 0.0254, 0},
    {"[ft_i]", "L", 0.3048, 0},
    {"m/s", "V", 1, 0},
    {"mm/s", "V", 1e-3, 0},
    {"km/h", "V", 1 / 3.6, 0},
    {"Pa", "P", 1, 0},
    {"kPa", "P", 1e3, 0},
    {"MPa", "P", 1e6, 0},
    {"bar", "P", 1e5, 0},
    {"mbar", "P", 1e2, 0},
    {"[psi]", "P", 6894.757293168, 0},
    {"W", "W", 1, 0},
    {"kW", "W", 1e3, 0},
    {"MW", "W", 1e6, 0},
    {"mW", "W", 1e-3, 0},
    {"J", "E", 1, 0},
    {"kJ", "E", 1e3, 0},
    {"W.h", "E", 3600, 0},
    {"kW.h", "E", 3.6e6, 0},
    {"V", "U", 1, 0},
    {"mV", "U", 1e-3, 0},
    {"kV", "U", 1e3, 0},
    {"A", "I", 1, 0},
    {"mA", "I", 1e-3, 0},
    {"s", "t", 1, 0},
    {"ms", "t", 1e-3, 0},
    {"us", "t", 1e-6, 0},
    {"min", "t", 60, 0},
    {"h", "t", 3600, 0},
    {"kg", "M", 1, 0},
    {"g", "M", 1e-3, 0},
    {"t", "M", 1e3, 0},
    {"[lb_av]", "M", 0.45359237, 0},
    {"1", "1", 1, 0},
    {"%", "1", 1e-2, 0},
    {"Hz", "F", 1, 0},
    {"kHz", "F", 1e3, 0},
    {"/min", "F", 1.0 / 60, 0},
    {"L", "Q", 1e-3, 0},
    {"m3", "Q", 1, 0},
});

const Unit* find_unit(std::string_view code) {
  const auto same = [&](const Unit& unit) { return unit.code == code; };
  const auto* found = std::find_if(kUnits.begin(), kUnits.end(), same);
  return found == kUnits.end() ? nullptr : found;
}

}  // namespace

std::optional<Conversion> conversion(std::string_view from, std::string_view to) {
  const auto *a = find_unit(from), *b = find_unit(to);
  if (a == nullptr || b == nullptr || a->dimension != b->dimension) return std::nullopt;
  return Conversion{a->factor / b->factor, (a->offset - b->offset) / b->factor};
}

}  // namespace infiniedge::stream
