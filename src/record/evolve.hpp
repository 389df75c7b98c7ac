// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "infiniedge/batch.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::record {

/// The schema that a stream gets when `wanted` is declared over `current` (null: new). Fields keep
/// the id that their name has; new names get the wished id if it is free, else the next one; a
/// field no longer wanted stays, null from then on. The version rises iff a field changed. Allowed:
/// a new field, a finer resolution of the same mantissa, other bounds. Errors: Invalid, naming
/// stream and field: bad or double name, change of type, unit or to a
///         coarser resolution, resolution missing or impossible, too many fields.
Result<SchemaPtr> evolve(const SchemaPtr& current, const Schema& wanted);

/// `batch` in the shape of `schema`: columns matched by field name, scaled up where the resolution
/// became finer, null where the batch has no such field.
/// Errors: Invalid if types differ or a field of the batch is unknown to `schema`.
Result<Batch> adapt(Batch batch, const SchemaPtr& schema);

/// Equal fields, in order; names of streams and versions do not count.
bool same_fields(const Schema& a, const Schema& b);

}  // namespace infiniedge::record
