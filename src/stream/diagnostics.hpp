// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tl/expected.hpp>

#include "base/diagnostic.hpp"

namespace infiniedge::stream {

/// A value, or everything that is wrong with the text it should have come from. Positions are
/// line and column in that text (the `sql` of a Stream, or an expression). Ids:
///   R001 syntax     R002 unknown stream    R003 unknown column   R004 type, arity, place
///   R005 window required    R006 units differ    R007 unbounded state    R009 model shape
///   unsupported: well-formed, but this version does not run it yet    cycle: reads itself
template <class T>
using Checked = tl::expected<T, base::Diagnostics>;

}  // namespace infiniedge::stream
