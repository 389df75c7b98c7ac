// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace infiniedge::base {

struct InvalidText {
  int line = 1, column = 1;  ///< 1-based; column in code points.
  std::string message;
};

/// First place that is not UTF-8, or a control character other than tab, newline and return.
std::optional<InvalidText> find_invalid_text(std::string_view text);

/// Length of the well-formed UTF-8 sequence that `text` starts with, or 0.
std::size_t utf8_length(std::string_view text);

}  // namespace infiniedge::base
