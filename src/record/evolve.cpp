// SPDX-License-Identifier: Apache-2.0
#include "record/evolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "record/decimal.hpp"
#include "record/value.hpp"

namespace infiniedge::record {
namespace {

constexpr std::size_t kMaxFields = 4096;
constexpr std::array<std::string_view, 5> kReserved = {"device", "ts", "_seq", "_q", "_stream"};

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 63 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Error wrong(const Schema& schema, const Field& field, std::string_view what) {
  return {Code::Invalid, fmt::format("stream {}, field {}: {}", schema.stream, field.name, what)};
}

Result<void> check_resolution(const Schema& schema, const Field& field) {
  if ((field.type == Type::Decimal) != field.resolution.has_value()) {
    return wrong(schema, field, "a decimal has a resolution, and nothing else does");
  }
  if (!field.resolution) return {};
  const Resolution& r = *field.resolution;
  if ((r.mantissa != 1 && r.mantissa != 2 && r.mantissa != 5) || r.scale > 9) {
    return wrong(schema, field, "resolution must be 1, 2 or 5 times 10^-s, s from 0 to 9");
  }
  return {};
}

Result<void> check_schema(const Schema& schema) {
  if (!is_name(schema.stream)) {
    return Error{Code::Invalid, fmt::format("stream name \"{}\": use [a-z_][a-z0-9_]*, at most 63 "
                                            "characters",
                                            schema.stream)};
  }
  if (schema.fields.size() > kMaxFields) {
    return Error{Code::Invalid, fmt::format("stream {} has {} fields, at most {} are possible",
                                            schema.stream, schema.fields.size(), kMaxFields)};
  }
  std::vector<std::string_view> names(kReserved.begin(), kReserved.end());
  for (const Field& field : schema.fields) {
    if (!is_name(field.name)) {
      return wrong(schema, field, "use [a-z_][a-z0-9_]*, at most 63 characters");
    }
    if (std::find(names.begin(), names.end(), field.name) != names.end()) {
      return wrong(schema, field, "the name is taken; choose another");
    }
    names.push_back(field.name);
    INFINIEDGE_TRY(check_resolution(schema, field));
    if (field.min && field.max && *field.min > *field.max) {
      return wrong(schema, field, "the range is empty");
    }
  }
  return {};
}

Result<void> check_change(const Schema& schema, const Field& from, const Field& to) {
  if (from.type != to.type) {
    return wrong(schema, to,
                 fmt::format("is {} and cannot become {}; declare a new stream",
                             to_string(from.type), to_string(to.type)));
  }
  if (from.unit != to.unit) {
    return wrong(schema, to,
                 fmt::format("has unit \"{}\" and cannot become \"{}\"; declare a new "
                             "stream",
                             from.unit, to.unit));
  }
  if (from.resolution == to.resolution) return {};
  // Every value of the old grid must lie on the new one: 0.5 -> 0.1 and 0.2 -> 0.1 do, 0.1 -> 0.05
  // does, 0.1 -> 0.02 does, 0.5 -> 0.2 does not.
  const unsigned scale_up = to.resolution->scale - from.resolution->scale;
  if (to.resolution->scale < from.resolution->scale ||
      from.resolution->mantissa * power_of_ten(scale_up) % to.resolution->mantissa != 0) {
    return wrong(schema, to, "values stored so far do not fit the new resolution; make it finer");
  }
  return {};
}

/// The wished id if it is a field's and free, else the next one.
std::uint16_t new_id(const std::vector<Field>& fields, std::uint16_t wished) {
  std::uint16_t next = kFirstField;
  bool free = wished >= kFirstField && wished < UINT16_MAX - kMaxFields;
  for (const Field& field : fields) {
    next = std::max<std::uint16_t>(next, field.id + 1);
    free = free && field.id != wished;
  }
  return free ? wished : next;
}

/// Scales stored integers to a finer resolution; what then needs over 18 digits becomes null.
void rescale(Column& column, Resolution from, Resolution to) {
  const std::int64_t factor = power_of_ten(to.scale - from.scale);
  if (factor == 1) return;
  const std::int64_t limit = (power_of_ten(18) - 1) / factor;
  auto& values = column.ints();
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (values[row] > limit || values[row] < -limit) {
      column.nulls.resize(values.size(), false);
      column.nulls[row] = true;
      values[row] = 0;
    } else {
      values[row] *= factor;
    }
  }
}

Column null_column(Type type, std::size_t rows) {
  Column column = make_column(type);
  if (auto* text = std::get_if<Binary>(&column.values)) {
    text->offsets.assign(rows + 1, 0);
  } else if (auto* floats = std::get_if<std::vector<double>>(&column.values)) {
    floats->assign(rows, 0);
  } else {
    column.ints().assign(rows, 0);
  }
  column.nulls.assign(rows, true);
  return column;
}

}  // namespace

Result<SchemaPtr> evolve(const SchemaPtr& current, const Schema& wanted) {
  INFINIEDGE_TRY(check_schema(wanted));
  Schema next = current ? *current : Schema{.stream = wanted.stream, .version = 1};
  next.label = wanted.label;
  for (const Field& field : wanted.fields) {
    const auto position = next.find(field.name);
    if (!position) {
      const std::uint16_t id = new_id(next.fields, field.id);
      next.fields.push_back(field);
      next.fields.back().id = id;
      continue;
    }
    Field& known = next.fields[*position];
    INFINIEDGE_TRY(check_change(wanted, known, field));
    const std::uint16_t id = known.id;
    known = field;
    known.id = id;
  }
  if (next.fields.size() > kMaxFields) {
    return Error{Code::Invalid, fmt::format("stream {} would have {} fields, at most {} are "
                                            "possible",
                                            next.stream, next.fields.size(), kMaxFields)};
  }
  if (current && next == *current) return current;
  if (current && !same_fields(*current, next)) {
    if (current->version == UINT16_MAX) {
      return Error{Code::Exhausted, fmt::format("stream {} has used up its 65,535 schema versions; "
                                                "declare a new stream",
                                                next.stream)};
    }
    ++next.version;
  }
  return std::make_shared<const Schema>(std::move(next));
}

Result<Batch> adapt(Batch batch, const SchemaPtr& schema) {
  if (batch.schema == schema) return batch;
  const auto& from = batch.schema->fields;
  std::vector<Column> columns(schema->fields.size());
  std::vector<bool> placed(schema->fields.size(), false);
  for (std::size_t c = 0; c < from.size(); ++c) {
    const auto position = schema->find(from[c].name);
    if (!position) return wrong(*schema, from[c], "is not in the schema");
    const Field& field = schema->fields[*position];
    INFINIEDGE_TRY(check_change(*schema, from[c], field));
    columns[*position] = std::move(batch.columns[c]);
    placed[*position] = true;
    if (field.resolution) rescale(columns[*position], *from[c].resolution, *field.resolution);
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!placed[c]) columns[c] = null_column(schema->fields[c].type, batch.rows());
  }
  batch.columns = std::move(columns);
  batch.schema = schema;
  return batch;
}

bool same_fields(const Schema& a, const Schema& b) { return a.fields == b.fields; }

}  // namespace infiniedge::record
