// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"
#include "infiniedge/spec.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device {

/// `250ms`, `1m30s`, `7d`, `0s`. Errors: Invalid for a missing or unknown unit.
Result<Micros> parse_duration(std::string_view text);

/// Options of one resource or point by type, with the defaults of its Spec.
///
/// Errors: Invalid, naming the option, what it was and what it may be. A reader remembers the
///         first fault, so that a constructor can read everything and ask once.
class OptionReader {
 public:
  /// `where` begins the sentence: "device pump-7" or "point temp of device pump-7".
  OptionReader(std::span<const Option> options, const OptionValues& values, std::string where)
      : options_(options), values_(values), where_(std::move(where)) {}

  /// Value or default; empty if neither.
  std::string text(std::string_view name) const;
  bool has(std::string_view name) const { return !text(name).empty(); }
  /// Set in the resource, even to nothing.
  bool given(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::int64_t integer(std::string_view name);
  double number(std::string_view name);
  bool flag(std::string_view name);
  Micros duration(std::string_view name);
  /// One of the option's values.
  std::string choice(std::string_view name);

  /// Faults for every name that no option has, with a suggestion.
  void refuse_unknown();
  const Result<void>& fault() const { return fault_; }
  void fail(std::string_view name, std::string_view why);

 private:
  const Option* find(std::string_view name) const;
  double bounded(std::string_view name, double value);

  std::span<const Option> options_;
  const OptionValues& values_;
  std::string where_;
  Result<void> fault_;
};

}  // namespace infiniedge::device
