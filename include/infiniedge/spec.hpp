// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge {

/// What a part's option accepts.
enum class OptionType { String, Bool, Integer, Number, Duration, Bytes, Enum, Secret, Object };

/// One documented option of a connector, backend or sink.
struct Option {
  std::string_view name;
  OptionType type = OptionType::String;
  std::string_view doc;
  std::string_view fallback = "";  ///< Default, as written in YAML; empty: none.
  bool required = false;
  double min = 0, max = 0;                      ///< Bounds of numbers; equal: none.
  std::span<const std::string_view> values{};   ///< Of Enum.
  std::span<const std::string_view> aliases{};  ///< Other people's names, for suggestions.
};

/// Single source of validation, `infiniedge explain`, JSON Schema, CRD and reference page.
struct Spec {
  std::string_view name;            ///< "mqtt"; as in `connector: mqtt`.
  std::string_view summary;         ///< One sentence.
  std::string_view address;         ///< Form of the address, e.g. "mqtt[s]://HOST[:PORT]".
  std::span<const Option> options;  ///< Of the resource.
  std::span<const Option> point_options;
};

/// Options as text, already validated against a Spec and with defaults filled in.
using OptionValues = std::map<std::string, std::string, std::less<>>;

}  // namespace infiniedge
