// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/batch.hpp"
#include "store/duckdb_session.hpp"

namespace infiniedge::store {

/// Runs `sql`, whose columns are device, ts, _seq, _q and then exactly the fields of `schema` in
/// their SQL types, and gathers the rows.
Result<Batch> read_batch(DuckConnection& connection, const std::string& sql, SchemaPtr schema,
                         LabelId label);

/// `CAST("name" AS TYPE) AS "name"` for each field, in order, each after a comma.
std::string cast_fields(const Schema& schema);

}  // namespace infiniedge::store
