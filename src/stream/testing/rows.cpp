// SPDX-License-Identifier: Apache-2.0
#include "stream/testing/rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "stream/batch_rows.hpp"

namespace infiniedge::stream::testing {

SchemaPtr make_schema(std::string stream, std::vector<Field> fields) {
  auto schema = std::make_shared<Schema>();
  schema->stream = std::move(stream);
  std::uint16_t id = kFirstField;
  for (auto& field : fields) field.id = id++;
  schema->fields = std::move(fields);
  return schema;
}

SchemaPtr machine(std::string stream) {
  return make_schema(
      std::move(stream),
      {{.name = "temp", .type = Type::Decimal, .unit = "Cel", .resolution = Resolution{1, 1}},
       {.name = "load", .type = Type::Float},
       {.name = "count", .type = Type::Int},
       {.name = "on", .type = Type::Bool},
       {.name = "mode", .type = Type::String},
       {.name = "wave", .type = Type::Bytes}});
}

Batch make_batch(const SchemaPtr& schema, const std::vector<Row>& rows) {
  Batch out;
  out.schema = schema;
  for (const auto& row : rows) append_row(out, row.device, to_us(at(row.seconds)), row.quality);
  for (std::size_t i = 0; i < schema->fields.size(); ++i) {
    const auto& field = schema->fields[i];
    auto values = Vec::make(field.type == Type::Decimal ? Type::Float : field.type);
    for (const auto& row : rows) {
      auto value = i < row.values.size() ? row.values[i] : Scalar{};
      // Tests write 21 for 21.0.
      const auto* whole = std::get_if<std::int64_t>(&value);
      if (values.is_float() && whole != nullptr) value = static_cast<double>(*whole);
      values.push(value);
    }
    out.columns.push_back(store(values, field, rows.size()));
  }
  return out;
}

std::vector<std::string> lines(const Batch& batch) {
  std::vector<std::string> out;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    auto line = fmt::format("{}@{:g}", batch.device_of(row),
                            static_cast<double>(batch.ts[row] - kStart) * 1e-6);
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      const auto& field = batch.schema->fields[i];
      const auto& column = batch.columns[i];
      const bool number = field.type == Type::Float && !column.is_null(row);
      line += fmt::format(
          " {}={}", field.name,
          number ? fmt::format("{:.6g}", column.floats()[row]) : display(field, column, row));
    }
    if (batch.quality[row] != Quality::Good) {
      line += fmt::format(" q={}", static_cast<int>(batch.quality[row]));
    }
    out.push_back(std::move(line));
  }
  return out;
}

Schemas::Schemas(std::vector<SchemaPtr> schemas) {
  for (auto& schema : schemas) add(std::move(schema));
}

SchemaPtr Schemas::find(std::string_view name) const {
  const auto found = schemas_.find(name);
  return found == schemas_.end() ? nullptr : found->second;
}

std::vector<std::string> Schemas::names() const {
  std::vector<std::string> out;
  for (const auto& [name, schema] : schemas_) out.push_back(name);
  return out;
}

Bench::Bench(std::string sql, RuleSpec spec) : schemas_({machine()}) {
  spec.sql = std::move(sql);
  if (spec.name.empty()) spec.name = "rule-1";
  auto made = compile(spec, schemas_, nullptr);
  if (!made) {
    for (const auto& d : made.error()) std::fputs(base::format(d, spec.sql).c_str(), stderr);
  }
  INFINIEDGE_CHECK(made.has_value());
  rule_ = std::move(*made);
  const auto into = [](std::vector<std::string>& target) {
    return [&target](Batch batch) {
      for (auto& line : lines(batch)) target.push_back(std::move(line));
    };
  };
  // Rules without a model need no scope and no clock; with one, tests use an Engine.
  rule_->collect({.out = into(out_), .late = into(late_), .dead = into(dead_)});
}

Bench& Bench::feed(const std::vector<Row>& rows, double now) {
  double newest = now;
  for (const auto& row : rows) newest = std::max(newest, now < 0 ? row.seconds : now);
  now_ = std::max(now_, at(newest));
  rule_->feed(std::make_shared<const Batch>(make_batch(machine(), rows)), now_);
  return *this;
}

Bench& Bench::tick(double now) {
  now_ = at(now);
  rule_->tick(now_);
  return *this;
}

Bench& Bench::flush() {
  rule_->flush(now_);
  return *this;
}

std::vector<std::string> Bench::faults(const std::string& sql) {
  const Schemas schemas({machine(), machine("pump_7")});
  const RuleSpec spec{.name = "rule-1", .sql = sql};
  const auto made = compile(spec, schemas, nullptr);
  std::vector<std::string> out;
  if (made) return out;
  for (const auto& d : made.error()) {
    out.push_back(fmt::format("{}:{} {} {} [{}]", d.line, d.column, d.id, d.message, d.suggestion));
  }
  return out;
}

}  // namespace infiniedge::stream::testing
