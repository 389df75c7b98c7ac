// SPDX-License-Identifier: Apache-2.0
#include "app/config/scalar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace infiniedge::app::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr Unit kUnits[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                           {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};

struct Scale {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Scale kScales[] = {{"", 1},
                             {"B", 1},
                             {"Ki", 1ULL << 10},
                             {"KiB", 1ULL << 10},
                             {"Mi", 1ULL << 20},
                             {"MiB", 1ULL << 20},
                             {"Gi", 1ULL << 30},
                             {"GiB", 1ULL << 30},
                             {"Ti", 1ULL << 40},
                             {"TiB", 1ULL << 40},
                             {"k", 1000},
                             {"K", 1000},
                             {"kB", 1000},
                             {"M", 1'000'000},
                             {"MB", 1'000'000},
                             {"G", 1'000'000'000},
                             {"GB", 1'000'000'000}};

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  const auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && (text[n] < '0' || text[n] > '9')) ++n;
  const auto letters = text.substr(0, n);
  text.remove_prefix(n);
  return letters;
}

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<Micros> parse_duration(std::string_view text) {
  const auto given = text;
  std::int64_t total = 0;
  if (text.empty())
    return Error{Code::Invalid, "a duration is missing: write for example 250ms or 5s"};
  while (!text.empty()) {
    const auto digits = take_digits(text);
    const auto name = take_letters(text);
    const auto value = whole<std::int64_t>(digits);
    const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const Unit& u) { return u.name == name; });
    if (!value || unit == std::end(kUnits)) {
      const auto hint = name.empty() && value ? fmt::format(": add a unit, for example {}s", given)
                                              : std::string{};
      return Error{Code::Invalid, fmt::format("\"{}\" is not a duration{}", given, hint)};
    }
    std::int64_t part = 0;
    if (__builtin_mul_overflow(*value, unit->us, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return Error{Code::Invalid, fmt::format("\"{}\" is too long", given)};
    }
  }
  return Micros{total};
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto given = text;
  const auto digits = take_digits(text);
  const auto value = whole<std::uint64_t>(digits);
  for (const auto& scale : kScales) {
    std::uint64_t out = 0;
    if (value && scale.name == text && !__builtin_mul_overflow(*value, scale.factor, &out))
      return out;
  }
  return Error{Code::Invalid,
               fmt::format("\"{}\" is not a size: write for example 64Ki, 2G or 512", given)};
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = whole<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return whole<std::int64_t>(text);
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::string format_duration(Micros duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string out;
  for (const auto& unit : kUnits) {
    if (left >= unit.us) {
      out += fmt::format("{}{}", left / unit.us, unit.name);
      left %= unit.us;
    }
  }
  return out;
}

}  // namespace infiniedge::app::config
