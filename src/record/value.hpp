// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "infiniedge/batch.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::record {

/// An empty column of the representation that `type` has in a Batch.
Column make_column(Type type);
/// An empty batch of `schema`: one empty column a field.
Batch make_batch(SchemaPtr schema);

/// Appends row `row` of `from`, a column of the same representation, null or not.
void append_value(Column& to, const Column& from, std::size_t row);
/// Appends a null; the placeholder repeats the value before it.
void append_null(Column& to);

/// Rows [begin, begin + count) as a batch of their own. Requires: the range lies within `batch`.
Batch slice(const Batch& batch, std::size_t begin, std::size_t count);
/// Appends rows [begin, begin + count) of `from`; device i of it is device renamed[i] of `to`.
void append_rows(Batch& to, const Batch& from, std::size_t begin, std::size_t count,
                 std::span<const std::uint32_t> renamed);
/// Appends all rows of `from`. Requires: equal fields; seq present in both or in neither.
void append_rows(Batch& to, const Batch& from);

/// Checks what a batch promises: a schema, a column a field of the right representation, every
/// vector rows() long, device indices within `devices`, names of at most 255 bytes of UTF-8.
/// Errors: Invalid, naming stream and field.
Result<void> check(const Batch& batch);

/// Bytes that the rows occupy in memory, roughly: for budgets.
std::size_t memory_bytes(const Batch& batch);
/// The parts of it: without the names of the devices, and of one name.
std::size_t row_bytes(const Batch& batch);
std::size_t name_bytes(const std::string& device);

/// Same rows: schema fields, devices by name, times, qualities, seqs, values (a null's
/// placeholder is ignored). For tests and for comparing what two sides hold.
bool same_rows(const Batch& a, const Batch& b);

}  // namespace infiniedge::record
