// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::store {

/// A diagnostic at byte `offset` of `sql` (past the end: at the end), `length` code points wide.
base::Diagnostic diagnostic_at(std::string_view sql, std::size_t offset, std::string id,
                               std::string message, std::size_t length = 1);

/// What DuckDB said about `sql`: its "LINE 1: …" and caret become line and column, its "Did you
/// mean" and "Candidate bindings" the suggestion.
base::Diagnostic diagnostic_from(const Error& error, std::string_view sql);

/// One sentence for logs and for callers without a place for diagnostics:
/// `2:8: column "vlaue" does not exist; did you mean "value"?`
Error error_from(Code code, const base::Diagnostic& diagnostic);

}  // namespace infiniedge::store
