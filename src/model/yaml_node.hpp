// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"
#include "model/position.hpp"

namespace infiniedge::model {

/// A YAML node as a value: what a configuration reader needs, with positions.
struct YamlNode {
  enum class Kind { Null, Scalar, List, Map };
  struct Entry;

  Kind kind = Kind::Null;
  Position at;
  std::string text{};           ///< Of Scalar.
  bool plain = true;            ///< Scalar without quotes.
  std::vector<YamlNode> items;  ///< Of List.
  std::vector<Entry> entries;   ///< Of Map.
};

struct YamlNode::Entry {
  std::string key;
  Position at;
  YamlNode value;
};

/// Reads one YAML document. Aliases are refused and nesting over 32 is too.
/// Errors: Invalid with "line:column: what".
Result<YamlNode> parse_yaml(std::string_view text);

}  // namespace infiniedge::model
