// SPDX-License-Identifier: Apache-2.0
#include "store/batch_reader.hpp"

#include <fmt/format.h>

#include <map>

#include "record/value.hpp"

namespace infiniedge::store {
namespace {

bool is_valid(const std::uint64_t* validity, std::size_t row) {
  return validity == nullptr || (validity[row / 64] >> (row % 64) & 1) != 0;
}

/// Appends the values of one result column to a batch's column.
void append_column(const duck::Api& api, const Field& field, duck::Vector vector, std::size_t rows,
                   bool narrow, Column& out) {
  const void* data = api.vector_get_data(vector);
  const std::uint64_t* validity = api.vector_get_validity(vector);
  const std::size_t before = std::visit([](const auto& v) { return v.size(); }, out.values);
  for (std::size_t i = 0; i < rows; ++i) {
    const bool valid = is_valid(validity, i);
    switch (field.type) {
      case Type::Bool:
        out.ints().push_back(valid && static_cast<const std::uint8_t*>(data)[i] != 0 ? 1 : 0);
        break;
      case Type::Int:
      case Type::Decimal:
        out.ints().push_back(!valid   ? 0
                             : narrow ? static_cast<const std::int32_t*>(data)[i]
                                      : static_cast<const std::int64_t*>(data)[i]);
        break;
      case Type::Float:
        out.floats().push_back(valid ? static_cast<const double*>(data)[i] : 0);
        break;
      case Type::String:
      case Type::Bytes:
        out.binary().push_back(valid ? static_cast<const duck::String*>(data)[i].view()
                                     : std::string_view());
    }
    if (!valid && out.nulls.empty()) out.nulls.assign(before + i, false);
    if (!valid || !out.nulls.empty()) out.nulls.push_back(!valid);
  }
}

void append_chunk(const duck::Api& api, duck::Chunk chunk, Batch& out,
                  std::map<std::string, std::uint32_t, std::less<>>& devices) {
  const auto rows = static_cast<std::size_t>(api.data_chunk_get_size(chunk));
  const auto data = [&](duck::idx_t column) {
    return api.vector_get_data(api.data_chunk_get_vector(chunk, column));
  };
  const auto* device = static_cast<const duck::String*>(data(0));
  const auto* ts = static_cast<const std::int64_t*>(data(1));
  const auto* seq = static_cast<const std::int64_t*>(data(2));
  const auto* quality = static_cast<const std::uint8_t*>(data(3));
  for (std::size_t i = 0; i < rows; ++i) {
    auto known = devices.find(device[i].view());
    if (known == devices.end()) {
      known =
          devices.emplace(device[i].view(), static_cast<std::uint32_t>(out.devices.size())).first;
      out.devices.emplace_back(device[i].view());
    }
    out.device.push_back(known->second);
    out.ts.push_back(ts[i]);
    out.seq.push_back(static_cast<std::uint64_t>(seq[i]));
    out.quality.push_back(static_cast<Quality>(quality[i]));
  }
  for (std::size_t c = 0; c < out.columns.size(); ++c) {
    const Field& field = out.schema->fields[c];
    const bool narrow = field.type == Type::Decimal && sql_type(field).starts_with("DECIMAL(9");
    append_column(api, field, api.data_chunk_get_vector(chunk, c + 4), rows, narrow,
                  out.columns[c]);
  }
}

}  // namespace

Result<Batch> read_batch(DuckConnection& connection, const std::string& sql, SchemaPtr schema,
                         LabelId label) {
  auto rows = connection.query(sql);
  if (!rows) return std::move(rows).error();
  Batch out = record::make_batch(std::move(schema));
  out.label = label;
  std::map<std::string, std::uint32_t, std::less<>> devices;
  for (;;) {
    auto chunk = rows->next();
    if (!chunk) return std::move(chunk).error();
    if (*chunk == nullptr) return out;
    append_chunk(connection.api(), *chunk, out, devices);
  }
}

std::string cast_fields(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields) {
    out += fmt::format(", CAST({0} AS {1}) AS {0}", sql_name(field.name), sql_type(field));
  }
  return out;
}

}  // namespace infiniedge::store
