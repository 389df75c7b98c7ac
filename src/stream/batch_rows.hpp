// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "stream/frame.hpp"

namespace infiniedge::stream {

/// Rows of `from`, in order, under another schema with the same fields.
Batch pick_rows(const Batch& from, std::span<const std::uint32_t> rows, SchemaPtr schema);
Column pick_rows(const Column& from, std::span<const std::uint32_t> rows);

/// Device, time and quality of a frame's rows; no columns yet. Rows more than a minute ahead of
/// `now` become Stale.
Batch frame_rows(const Frame& frame, SchemaPtr schema, std::int64_t now);

/// Appends a row without columns; devices are few, so looked up from the end.
void append_row(Batch& batch, std::string_view device, std::int64_t ts, Quality quality);

Quality stale_if_future(Quality quality, std::int64_t ts, std::int64_t now);

}  // namespace infiniedge::stream
