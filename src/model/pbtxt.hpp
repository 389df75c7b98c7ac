// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "infiniedge/result.hpp"
#include "model/position.hpp"

namespace infiniedge::model {

struct PbField;

/// What stands after a field's name: one word, number or string, or a message.
struct PbValue {
  enum class Kind { Word, Number, String, Message };
  Kind kind = Kind::Word;
  Position at;
  std::string text{};           ///< Of all but Message; strings unescaped.
  std::vector<PbField> fields;  ///< Of Message.
};

struct PbField {
  std::string name;
  Position at;
  PbValue value;
};

/// Reads protobuf's text format without knowing the schema: `k: v`, `k {}`, `k: {}`, lists,
/// `,` and `;` between fields, comments, both kinds of quotes with C escapes, and neighbouring
/// strings joined. A list becomes one field an element.
/// Errors: Invalid with "line:column: what"; nesting over 32 is refused.
Result<std::vector<PbField>> parse_text_format(std::string_view text);

}  // namespace infiniedge::model
