// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "store/prune.hpp"

namespace infiniedge::store {

/// What a query may name in FROM.
struct KnownNames {
  std::vector<std::string> tables;  ///< SQL names of streams and system views, lower case.
};

/// One stream or system view that a query reads.
struct TableUse {
  std::string known;  ///< The name in KnownNames.
  TimeRange range;    ///< Of `ts`, over all places that name it.
};

/// A query that reads streams and views and nothing else: no file, no setting, no function that
/// looks outside, no statement but one SELECT.
struct GuardedQuery {
  std::map<std::string, TableUse> tables;  ///< By the name as written, lower case.
};

/// Lower case, and `-` as `_`: how a resource name is spelt in SQL.
std::string sql_spelling(std::string_view name);

/// Parses `sql` with DuckDB's own parser and walks the whole tree; what is not known to be
/// harmless is refused. `connection` is one of ours, used for parsing only.
/// Errors: Invalid; `diagnostic` says where and what to write instead.
Result<GuardedQuery> guard(DuckConnection& connection, std::string_view sql,
                           const std::vector<QueryParam>& params, const KnownNames& known,
                           base::Diagnostic& diagnostic);

}  // namespace infiniedge::store
