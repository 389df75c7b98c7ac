// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "stream/ast.hpp"
#include "stream/diagnostics.hpp"

namespace infiniedge::stream {

/// Reads one select of the rule language, eKuiper's window spellings included. Syntax only:
/// names and types are judged by compile(). After an error it goes on at the next clause or
/// list element, so that several mistakes are reported at once. Text is at most 64 KiB, nested
/// at most 100 deep.
Checked<Select> parse(std::string_view sql);

/// Reads one expression that stands alone: `act.when`, `route.when`, a write's value.
Checked<ExprPtr> parse_expression(std::string_view text);

}  // namespace infiniedge::stream
