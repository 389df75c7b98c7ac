// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "infiniedge/schema.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge {

/// How far a row can be trusted (`_q`). Values are stored; never renumber.
enum class Quality : std::uint8_t { Good = 0, Uncertain = 1, Substituted = 2, Stale = 3, Bad = 4 };

/// Strings or byte strings of one column: row i is data[offsets[i], offsets[i+1]).
struct Binary {
  std::vector<std::uint32_t> offsets{0};  ///< rows + 1 entries, ascending, first 0.
  std::string data;

  std::size_t size() const { return offsets.size() - 1; }
  std::string_view operator[](std::size_t row) const {
    return std::string_view(data).substr(offsets[row], offsets[row + 1] - offsets[row]);
  }
  void push_back(std::string_view value) {
    data.append(value);
    offsets.push_back(static_cast<std::uint32_t>(data.size()));
  }
};

/// One column. Bool, Int and Decimal (scaled, see Resolution) are int64; Float is double;
/// String and Bytes are Binary. A null keeps a placeholder in `values` so that rows line up.
struct Column {
  std::variant<std::vector<std::int64_t>, std::vector<double>, Binary> values;
  std::vector<bool> nulls{};  ///< Empty: no nulls; else one flag a row, true = null.

  bool is_null(std::size_t row) const { return !nulls.empty() && nulls[row]; }
  std::vector<std::int64_t>& ints() { return std::get<0>(values); }
  const std::vector<std::int64_t>& ints() const { return std::get<0>(values); }
  std::vector<double>& floats() { return std::get<1>(values); }
  const std::vector<double>& floats() const { return std::get<1>(values); }
  Binary& binary() { return std::get<2>(values); }
  const Binary& binary() const { return std::get<2>(values); }
};

/// Rows of one stream, by column.
///
/// Flow:   everything between device and hub is a Batch.
/// Thread: a value; moved between shards, or shared as shared_ptr<const Batch>.
/// Source: every vector has `rows()` entries; columns are in the order of schema->fields.
struct Batch {
  SchemaPtr schema;
  LabelId label = LabelId::Default;
  std::vector<std::string> devices;   ///< Dictionary of the device names in this batch.
  std::vector<std::uint32_t> device;  ///< Row → index into `devices`.
  std::vector<std::int64_t> ts;       ///< Source time, µs since the epoch, UTC.
  std::vector<Quality> quality;       ///< Row → `_q`.
  std::vector<std::uint64_t> seq{};   ///< `_seq`; empty until the store has appended it.
  std::vector<Column> columns;

  std::size_t rows() const { return ts.size(); }
  std::string_view device_of(std::size_t row) const { return devices[device[row]]; }
};

}  // namespace infiniedge
