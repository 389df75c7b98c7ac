// SPDX-License-Identifier: Apache-2.0
#include "device/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.hpp"
#include "base/suggest.hpp"

namespace infiniedge::device {
namespace {

struct Unit {
  std::string_view name;
  double micros;
};
constexpr Unit kUnits[] = {{"us", 1},   {"ms", 1e3},    {"s", 1e6},
                           {"m", 60e6}, {"h", 3'600e6}, {"d", 86'400e6}};

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

Result<Micros> parse_duration(std::string_view text) {
  const Error wrong{Code::Invalid,
                    fmt::format("\"{}\" is not a duration: write a number with a unit, such as "
                                "250ms, 1m30s or 7d",
                                text)};
  double total = 0;
  auto left = text;
  if (left.empty()) return wrong;
  while (!left.empty()) {
    double amount = 0;
    const auto [at, error] = std::from_chars(left.data(), left.data() + left.size(), amount);
    if (error != std::errc{} || amount < 0) return wrong;
    left.remove_prefix(static_cast<std::size_t>(at - left.data()));
    const auto letters = std::min(left.find_first_of("0123456789."), left.size());
    const auto* const unit = std::ranges::find(kUnits, left.substr(0, letters), &Unit::name);
    if (unit == std::end(kUnits)) return wrong;
    total += amount * unit->micros;
    left.remove_prefix(letters);
  }
  if (!(total < 9e18)) return wrong;
  return Micros{std::llround(total)};
}

const Option* OptionReader::find(std::string_view name) const {
  const auto at = std::ranges::find(options_, name, &Option::name);
  return at == options_.end() ? nullptr : &*at;
}

std::string OptionReader::text(std::string_view name) const {
  if (const auto given = values_.find(name); given != values_.end()) return given->second;
  const auto* option = find(name);
  INFINIEDGE_CHECK(option != nullptr);
  return std::string{option->fallback};
}

void OptionReader::fail(std::string_view name, std::string_view why) {
  if (!fault_) return;
  fault_ = Error{Code::Invalid, fmt::format("{}: option \"{}\" {}", where_, name, why)};
}

double OptionReader::bounded(std::string_view name, double value) {
  const auto* option = find(name);
  if (option->min != option->max && !(value >= option->min && value <= option->max)) {
    fail(name, fmt::format("is {}: it must be between {} and {}", value, option->min, option->max));
  }
  return value;
}

std::int64_t OptionReader::integer(std::string_view name) {
  const auto value = text(name);
  if (value.empty()) return 0;
  const auto number = parse<std::int64_t>(value);
  if (!number) {
    fail(name, fmt::format("is \"{}\": it must be a whole number", value));
    return 0;
  }
  bounded(name, static_cast<double>(*number));
  return *number;
}

double OptionReader::number(std::string_view name) {
  const auto value = text(name);
  if (value.empty()) return 0;
  const auto number = parse<double>(value);
  if (!number || !std::isfinite(*number)) {
    fail(name, fmt::format("is \"{}\": it must be a number", value));
    return 0;
  }
  return bounded(name, *number);
}

bool OptionReader::flag(std::string_view name) {
  const auto value = text(name);
  if (value != "true" && value != "false" && !value.empty()) {
    fail(name, fmt::format("is \"{}\": it must be true or false", value));
  }
  return value == "true";
}

Micros OptionReader::duration(std::string_view name) {
  const auto value = text(name);
  if (value.empty()) return Micros{0};
  const auto span = parse_duration(value);
  if (!span) {
    fail(name, span.error().message());
    return Micros{0};
  }
  return *span;
}

std::string OptionReader::choice(std::string_view name) {
  auto value = text(name);
  const auto* option = find(name);
  if (value.empty() || std::ranges::find(option->values, value) != option->values.end()) {
    return value;
  }
  std::vector<std::string> names(option->values.begin(), option->values.end());
  const auto meant = base::suggest(value, names);
  fail(name, fmt::format("is \"{}\": it must be one of {}{}", value, fmt::join(names, ", "),
                         meant ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
  return value;
}

void OptionReader::refuse_unknown() {
  for (const auto& [name, value] : values_) {
    if (find(name) != nullptr) continue;
    std::vector<base::Candidate> known;
    for (const auto& option : options_) {
      known.push_back({.name = option.name, .aliases = option.aliases});
    }
    const auto meant = base::suggest(name, known);
    fail(name, meant ? fmt::format("is unknown; did you mean \"{}\"?", *meant) : "is unknown");
  }
}

}  // namespace infiniedge::device
