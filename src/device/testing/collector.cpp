// SPDX-License-Identifier: Apache-2.0
#include "device/testing/collector.hpp"

#include <fmt/format.h>

#include "device/value.hpp"

namespace infiniedge::device::testing {
namespace {

std::optional<std::string> text_of(const Column& column, std::size_t row) {
  if (column.is_null(row)) return std::nullopt;
  if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&column.values)) {
    return fmt::format("{}", (*ints)[row]);
  }
  if (const auto* floats = std::get_if<std::vector<double>>(&column.values)) {
    return fmt::format("{}", (*floats)[row]);
  }
  return std::string{column.binary()[row]};
}

Type type_of(std::string_view type) {
  if (type == "bool") return Type::Bool;
  if (type == "string") return Type::String;
  if (type == "bytes") return Type::Bytes;
  return is_integer_type(type) ? Type::Int : Type::Float;
}

}  // namespace

Task<Result<void>> Collector::push(Batch batch) {
  while (held_) co_await opened_.wait();
  if (!refusal) co_return refusal;
  ++batches;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    SeenRow seen{.ts = batch.ts[row], .quality = batch.quality[row]};
    for (const auto& column : batch.columns) seen.values.push_back(text_of(column, row));
    rows.push_back(std::move(seen));
  }
  co_return Result<void>{};
}

Task<Result<void>> Collector::watch(std::function<bool()> done) {
  // What is waited for may change without a row or a state: look again now and then.
  while (!done()) INFINIEDGE_CO_TRY(co_await clock_.sleep_for(Millis{2}));
  co_return Result<void>{};
}

Task<Result<void>> Collector::until(std::function<bool()> done) {
  co_return co_await within(clock_, Seconds{10}, watch(std::move(done)),
                            fmt::format("still waiting with {} rows", rows.size()));
}

Point make_point(std::string name, std::string address, std::string type, OptionValues options) {
  Point point{.name = name, .address = std::move(address), .type = type};
  point.field = {.name = std::move(name), .type = type_of(type)};
  point.options = std::move(options);
  return point;
}

DeviceSpec make_device(std::string name, std::string address, std::vector<Point> points,
                       OptionValues options) {
  auto schema = std::make_shared<Schema>();
  schema->stream = name;
  std::uint16_t id = kFirstField;
  for (auto& point : points) {
    point.field.id = id++;
    schema->fields.push_back(point.field);
  }
  DeviceSpec spec{.name = std::move(name), .address = std::move(address)};
  spec.options = std::move(options);
  spec.points = std::move(points);
  spec.schema = std::move(schema);
  return spec;
}

}  // namespace infiniedge::device::testing
