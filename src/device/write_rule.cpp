// SPDX-License-Identifier: Apache-2.0
#include "device/write_rule.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "device/value.hpp"

namespace infiniedge::device {
namespace {

std::string bounds_text(const WriteRule& rule) {
  std::string text;
  if (rule.min) text += fmt::format(" min {}", *rule.min);
  if (rule.max) text += fmt::format(" max {}", *rule.max);
  if (rule.step) text += fmt::format(" step {}", *rule.step);
  return text;
}

/// Steps count from `min`, or from 0.
bool on_step(const WriteRule& rule, double value) {
  if (!rule.step || *rule.step <= 0) return true;
  const double steps = (value - rule.min.value_or(0)) / *rule.step;
  return std::abs(steps - std::round(steps)) < 1e-6;
}

}  // namespace

Result<void> check_write(const DeviceSpec& device, const Point& point, std::string_view value) {
  const auto where = fmt::format("point {} of device {}", point.name, device.name);
  if (!point.write) {
    return Error{Code::Denied,
                 fmt::format("{} is read-only: declare write: in its resource", where)};
  }
  const auto& rule = *point.write;
  if (!rule.values.empty() && std::ranges::find(rule.values, value) == rule.values.end()) {
    return Error{Code::Invalid, fmt::format("{} cannot be \"{}\": it may be {}", where, value,
                                            fmt::join(rule.values, ", "))};
  }
  if (auto raw = unconvert(point, value); !raw) return raw.error();
  if (!rule.min && !rule.max && !rule.step) return {};
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || !std::isfinite(number)) {
    return Error{Code::Invalid, fmt::format("{} cannot be \"{}\": it takes a number,{}", where,
                                            value, bounds_text(rule))};
  }
  if (number < rule.min.value_or(number) || number > rule.max.value_or(number) ||
      !on_step(rule, number)) {
    return Error{Code::Invalid,
                 fmt::format("{} cannot be {}: it has{}", where, value, bounds_text(rule))};
  }
  return {};
}

}  // namespace infiniedge::device
