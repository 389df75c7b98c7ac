// SPDX-License-Identifier: Apache-2.0
#include "record/value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace infiniedge::record {
namespace {

std::size_t column_size(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

std::size_t representation(Type type) {
  switch (type) {
    case Type::Float:
      return 1;
    case Type::String:
    case Type::Bytes:
      return 2;
    default:
      return 0;
  }
}

/// Appends rows [begin, begin + count) of `from` to `to`.
void append_range(Binary& to, const Binary& from, std::size_t begin, std::size_t count) {
  const std::uint32_t first = from.offsets[begin];
  const std::uint32_t last = from.offsets[begin + count];
  const auto shift = static_cast<std::uint32_t>(to.data.size()) - first;
  to.data.append(from.data, first, last - first);
  for (std::size_t i = begin + 1; i <= begin + count; ++i) {
    to.offsets.push_back(from.offsets[i] + shift);
  }
}

template <class T>
void append_range(std::vector<T>& to, const std::vector<T>& from, std::size_t begin,
                  std::size_t count) {
  const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
  to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(count));
}

void append_column(Column& to, const Column& from, std::size_t begin, std::size_t count) {
  const std::size_t before = column_size(to);
  std::visit(
      [&](auto& values) {
        append_range(values, std::get<std::decay_t<decltype(values)>>(from.values), begin, count);
      },
      to.values);
  if (to.nulls.empty() && from.nulls.empty()) return;
  to.nulls.resize(before, false);
  if (from.nulls.empty()) {
    to.nulls.resize(before + count, false);
  } else {
    append_range(to.nulls, from.nulls, begin, count);
  }
}

bool same_value(const Column& a, std::size_t i, const Column& b, std::size_t j) {
  if (a.is_null(i) || b.is_null(j)) return a.is_null(i) == b.is_null(j);
  return std::visit(
      [&](const auto& values) {
        using Values = std::decay_t<decltype(values)>;
        const auto& other = std::get<Values>(b.values);
        if constexpr (std::is_same_v<Values, std::vector<double>>) {
          return std::bit_cast<std::uint64_t>(values[i]) == std::bit_cast<std::uint64_t>(other[j]);
        } else {
          return values[i] == other[j];
        }
      },
      a.values);
}

Error misfit(const Batch& batch, std::string_view what) {
  return {Code::Invalid, fmt::format("rows of stream {}: {}", batch.schema->stream, what)};
}

Result<void> check_binary(const Batch& batch, const Field& field, const Binary& values) {
  const bool ascending = !values.offsets.empty() && values.offsets.front() == 0 &&
                         std::is_sorted(values.offsets.begin(), values.offsets.end()) &&
                         values.offsets.back() == values.data.size();
  if (!ascending) {
    return misfit(batch, fmt::format("field {}: offsets do not fit the text", field.name));
  }
  return {};
}

}  // namespace

Column make_column(Type type) {
  switch (representation(type)) {
    case 1:
      return Column{std::vector<double>{}};
    case 2:
      return Column{Binary{}};
    default:
      return Column{std::vector<std::int64_t>{}};
  }
}

Batch make_batch(SchemaPtr schema) {
  Batch batch;
  batch.label = schema->label;
  batch.columns.reserve(schema->fields.size());
  for (const Field& field : schema->fields) batch.columns.push_back(make_column(field.type));
  batch.schema = std::move(schema);
  return batch;
}

void append_value(Column& to, const Column& from, std::size_t row) {
  append_column(to, from, row, 1);
}

void append_null(Column& to) {
  const std::size_t before = column_size(to);
  std::visit(
      [](auto& values) {
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, Binary>) {
          values.push_back({});
        } else {
          values.push_back(values.empty() ? 0 : values.back());
        }
      },
      to.values);
  to.nulls.resize(before, false);
  to.nulls.push_back(true);
}

Batch slice(const Batch& batch, std::size_t begin, std::size_t count) {
  Batch out = make_batch(batch.schema);
  out.label = batch.label;
  std::vector<std::uint32_t> renamed(batch.devices.size(), UINT32_MAX);
  out.device.reserve(count);
  for (std::size_t i = begin; i < begin + count; ++i) {
    std::uint32_t& index = renamed[batch.device[i]];
    if (index == UINT32_MAX) {
      index = static_cast<std::uint32_t>(out.devices.size());
      out.devices.push_back(batch.devices[batch.device[i]]);
    }
    out.device.push_back(index);
  }
  append_range(out.ts, batch.ts, begin, count);
  append_range(out.quality, batch.quality, begin, count);
  if (!batch.seq.empty()) append_range(out.seq, batch.seq, begin, count);
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    append_column(out.columns[c], batch.columns[c], begin, count);
  }
  return out;
}

void append_rows(Batch& to, const Batch& from, std::size_t begin, std::size_t count,
                 std::span<const std::uint32_t> renamed) {
  for (std::size_t row = begin; row < begin + count; ++row) {
    to.device.push_back(renamed[from.device[row]]);
  }
  append_range(to.ts, from.ts, begin, count);
  append_range(to.quality, from.quality, begin, count);
  if (!from.seq.empty()) append_range(to.seq, from.seq, begin, count);
  for (std::size_t c = 0; c < to.columns.size(); ++c) {
    append_column(to.columns[c], from.columns[c], begin, count);
  }
}

void append_rows(Batch& to, const Batch& from) {
  std::vector<std::uint32_t> renamed;
  renamed.reserve(from.devices.size());
  for (const std::string& name : from.devices) {
    const auto found = std::find(to.devices.begin(), to.devices.end(), name);
    renamed.push_back(static_cast<std::uint32_t>(found - to.devices.begin()));
    if (found == to.devices.end()) to.devices.push_back(name);
  }
  append_rows(to, from, 0, from.rows(), renamed);
}

Result<void> check(const Batch& batch) {
  if (!batch.schema) return Error{Code::Invalid, "rows without a schema"};
  const std::size_t rows = batch.rows();
  if (batch.columns.size() != batch.schema->fields.size()) {
    return misfit(batch, fmt::format("{} columns for {} fields", batch.columns.size(),
                                     batch.schema->fields.size()));
  }
  if (batch.device.size() != rows || batch.quality.size() != rows ||
      (!batch.seq.empty() && batch.seq.size() != rows)) {
    return misfit(batch, "device, ts, _q and _seq differ in length");
  }
  for (const std::uint32_t index : batch.device) {
    if (index >= batch.devices.size()) return misfit(batch, "a row names no device");
  }
  for (const std::string& name : batch.devices) {
    if (name.empty() || name.size() > 255 || base::find_invalid_text(name)) {
      return misfit(batch, "a device name is empty, longer than 255 bytes, or not printable UTF-8");
    }
  }
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    const Field& field = batch.schema->fields[c];
    const Column& column = batch.columns[c];
    if (column.values.index() != representation(field.type)) {
      return misfit(batch, fmt::format("field {} is {}, but its column holds another type",
                                       field.name, to_string(field.type)));
    }
    if (const auto* text = std::get_if<Binary>(&column.values)) {
      INFINIEDGE_TRY(check_binary(batch, field, *text));
    }
    if (column_size(column) != rows || (!column.nulls.empty() && column.nulls.size() != rows)) {
      return misfit(batch, fmt::format("field {} has not one value a row", field.name));
    }
  }
  return {};
}

std::size_t memory_bytes(const Batch& batch) {
  std::size_t bytes = row_bytes(batch);
  for (const std::string& name : batch.devices) bytes += name_bytes(name);
  return bytes;
}

std::size_t name_bytes(const std::string& device) { return sizeof(std::string) + device.size(); }

std::size_t row_bytes(const Batch& batch) {
  std::size_t bytes = batch.rows() * (sizeof(std::int64_t) + sizeof(std::uint32_t) + 1);
  bytes += batch.seq.size() * sizeof(std::uint64_t);
  for (const Column& column : batch.columns) {
    bytes += sizeof(Column) + column.nulls.size() / 8;
    if (const auto* text = std::get_if<Binary>(&column.values)) {
      bytes += text->data.size() + text->offsets.size() * sizeof(std::uint32_t);
    } else {
      bytes += batch.rows() * sizeof(std::int64_t);
    }
  }
  return bytes;
}

bool same_rows(const Batch& a, const Batch& b) {
  if (a.schema->fields != b.schema->fields || a.ts != b.ts || a.quality != b.quality ||
      a.seq != b.seq || a.columns.size() != b.columns.size()) {
    return false;
  }
  for (std::size_t row = 0; row < a.rows(); ++row) {
    if (a.device_of(row) != b.device_of(row)) return false;
    for (std::size_t c = 0; c < a.columns.size(); ++c) {
      if (!same_value(a.columns[c], row, b.columns[c], row)) return false;
    }
  }
  return true;
}

}  // namespace infiniedge::record
