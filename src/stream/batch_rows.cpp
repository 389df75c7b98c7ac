// SPDX-License-Identifier: Apache-2.0
#include "stream/batch_rows.hpp"

#include <algorithm>
#include <limits>

#include "stream/watermark.hpp"

namespace infiniedge::stream {
namespace {

constexpr auto kUnset = std::numeric_limits<std::uint32_t>::max();

/// Copies the device names that the rows use.
template <class RowOf>
void copy_devices(const Batch& from, std::size_t rows, RowOf row_of, Batch& to) {
  std::vector<std::uint32_t> renamed(from.devices.size(), kUnset);
  to.device.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    auto& id = renamed[from.device[row_of(i)]];
    if (id == kUnset) {
      id = static_cast<std::uint32_t>(to.devices.size());
      to.devices.push_back(from.devices[from.device[row_of(i)]]);
    }
    to.device.push_back(id);
  }
}

}  // namespace

Quality stale_if_future(Quality quality, std::int64_t ts, std::int64_t now) {
  const bool future = ts > now + kMaxFuture.count();
  return future ? std::max(quality, Quality::Stale) : quality;
}

Column pick_rows(const Column& from, std::span<const std::uint32_t> rows) {
  Column out;
  if (from.values.index() == 0) {
    std::vector<std::int64_t> values;
    values.reserve(rows.size());
    for (const auto row : rows) values.push_back(from.ints()[row]);
    out.values = std::move(values);
  } else if (from.values.index() == 1) {
    std::vector<double> values;
    values.reserve(rows.size());
    for (const auto row : rows) values.push_back(from.floats()[row]);
    out.values = std::move(values);
  } else {
    Binary values;
    for (const auto row : rows) values.push_back(from.binary()[row]);
    out.values = std::move(values);
  }
  if (from.nulls.empty()) return out;
  for (const auto row : rows) out.nulls.push_back(from.nulls[row]);
  return out;
}

Batch pick_rows(const Batch& from, std::span<const std::uint32_t> rows, SchemaPtr schema) {
  Batch out;
  out.schema = std::move(schema);
  out.label = from.label;
  copy_devices(from, rows.size(), [&](std::size_t i) { return rows[i]; }, out);
  for (const auto row : rows) {
    out.ts.push_back(from.ts[row]);
    out.quality.push_back(from.quality[row]);
  }
  for (const auto& column : from.columns) out.columns.push_back(pick_rows(column, rows));
  return out;
}

Batch frame_rows(const Frame& frame, SchemaPtr schema, std::int64_t now) {
  Batch out;
  out.label = schema ? schema->label : LabelId::Default;
  out.schema = std::move(schema);
  copy_devices(frame.batch(), frame.rows(), [&](std::size_t i) { return frame.origin(i); }, out);
  out.ts.reserve(frame.rows());
  out.quality.reserve(frame.rows());
  for (std::size_t i = 0; i < frame.rows(); ++i) {
    out.ts.push_back(frame.ts(i));
    out.quality.push_back(stale_if_future(frame.quality(i), frame.ts(i), now));
  }
  return out;
}

void append_row(Batch& batch, std::string_view device, std::int64_t ts, Quality quality) {
  const auto known = std::find(batch.devices.rbegin(), batch.devices.rend(), device);
  const auto id = known == batch.devices.rend()
                      ? batch.devices.size()
                      : static_cast<std::size_t>(batch.devices.rend() - known) - 1;
  if (id == batch.devices.size()) batch.devices.emplace_back(device);
  batch.device.push_back(static_cast<std::uint32_t>(id));
  batch.ts.push_back(ts);
  batch.quality.push_back(quality);
}

}  // namespace infiniedge::stream
