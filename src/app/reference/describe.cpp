// SPDX-License-Identifier: Apache-2.0
#include "app/reference/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace infiniedge::app {

std::string type_text(const config::FieldSpec& field) {
  constexpr std::string_view kNames[] = {
      "text",    "true|false", "whole number", "number",     "duration", "size",
      "one of",  "name",       "select",       "expression", "secret",   "object",
      "options", "options",    "[low, high]",  "map",        "see text"};
  std::string out{kNames[static_cast<int>(field.type)]};
  if (field.type == config::FieldType::Enum && field.values.empty()) out = "a connector";
  if (!field.values.empty()) out = fmt::format("{}", fmt::join(field.values, "|"));
  if (!field.kind.empty()) out = fmt::format("name of a {}", field.kind);
  return field.list ? "list of " + out : out;
}

std::string type_text(const Option& option) {
  constexpr std::string_view kNames[] = {"text", "true|false", "whole number", "number", "duration",
                                         "size", "one of",     "secret",       "object"};
  std::string values;
  for (const auto value : option.values) {
    if (!value.empty()) values += fmt::format("{}{}", values.empty() ? "" : "|", value);
  }
  if (!values.empty()) return values;
  return std::string{kNames[static_cast<int>(option.type)]};
}

std::string bounds_text(double min, double max) {
  return min == max ? std::string{} : fmt::format("{} to {}", min, max);
}

}  // namespace infiniedge::app
