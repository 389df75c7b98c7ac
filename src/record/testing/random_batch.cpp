// SPDX-License-Identifier: Apache-2.0
#include "record/testing/random_batch.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "record/value.hpp"

namespace infiniedge::record::testing {
namespace {

constexpr std::size_t kDevices = 100;
constexpr std::size_t kFields = 5;
constexpr std::int64_t kStart = 1'767'225'600'000'000;

std::int64_t random_int(runtime::Entropy& entropy, std::uint64_t shape, std::size_t row) {
  switch (shape % 5) {
    case 0:
      return 7;
    case 1:
      return static_cast<std::int64_t>(row) * 1000 - 3;
    case 2:
      return static_cast<std::int64_t>(entropy.u64() % 2000) - 1000;
    case 3:
      return static_cast<std::int64_t>(entropy.u64());
    default:
      return entropy.u64() % 2 == 0 ? INT64_MIN : INT64_MAX;
  }
}

std::string random_text(runtime::Entropy& entropy, std::uint64_t shape) {
  if (shape % 2 == 0) return fmt::format("state-{}", entropy.u64() % 4);
  std::string text(entropy.u64() % 40, '\0');
  entropy.fill(std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

void push_value(runtime::Entropy& entropy, const Field& field, std::uint64_t shape, Column& column,
                std::size_t row) {
  switch (field.type) {
    case Type::Bool:
      return column.ints().push_back(static_cast<std::int64_t>(entropy.u64() % 2));
    case Type::Float:
      return column.floats().push_back(shape % 4 == 0 ? 1.5 : std::bit_cast<double>(entropy.u64()));
    case Type::String:
    case Type::Bytes:
      return column.binary().push_back(random_text(entropy, shape));
    default:
      return column.ints().push_back(random_int(entropy, shape, row));
  }
}

}  // namespace

SchemaPtr every_type(std::string stream) {
  Schema schema{.stream = std::move(stream), .version = 1};
  schema.fields = {
      {.id = 16, .name = "on", .type = Type::Bool},
      {.id = 17, .name = "count", .type = Type::Int},
      {.id = 18,
       .name = "temp",
       .type = Type::Decimal,
       .unit = "Cel",
       .resolution = Resolution{.mantissa = 5, .scale = 1}},
      {.id = 19, .name = "level", .type = Type::Float, .min = -1.0, .max = 2.5},
      {.id = 20, .name = "state", .type = Type::String},
      {.id = 21, .name = "raw", .type = Type::Bytes},
  };
  return std::make_shared<const Schema>(std::move(schema));
}

Batch random_batch(runtime::Entropy& entropy, const SchemaPtr& schema, std::size_t rows) {
  Batch batch = make_batch(schema);
  const std::uint64_t devices = 1 + entropy.u64() % 5;
  for (std::uint64_t d = 0; d < devices; ++d) batch.devices.push_back(fmt::format("pump-{}", d));
  const std::uint64_t ts_shape = entropy.u64();
  for (std::size_t row = 0; row < rows; ++row) {
    batch.device.push_back(static_cast<std::uint32_t>(entropy.u64() % devices));
    batch.ts.push_back(kStart + random_int(entropy, ts_shape % 3, row));
    batch.quality.push_back(static_cast<Quality>(entropy.u64() % 5));
  }
  for (std::size_t c = 0; c < schema->fields.size(); ++c) {
    const std::uint64_t shape = entropy.u64();
    const std::uint64_t nulls = entropy.u64() % 4;  // 0: all, 1: half, else none
    for (std::size_t row = 0; row < rows; ++row) {
      if (nulls == 0 || (nulls == 1 && entropy.u64() % 2 == 0)) {
        append_null(batch.columns[c]);
        continue;
      }
      push_value(entropy, schema->fields[c], shape, batch.columns[c], row);
      if (!batch.columns[c].nulls.empty()) batch.columns[c].nulls.push_back(false);
    }
  }
  return batch;
}

G1::G1(std::uint64_t seed) : entropy_(seed), values_(kDevices * kFields, 2000) {
  Schema schema{.stream = "g1", .version = 1};
  for (std::size_t f = 0; f < kFields; ++f) {
    schema.fields.push_back({.id = static_cast<std::uint16_t>(kFirstField + f),
                             .name = fmt::format("v{}", f),
                             .type = Type::Decimal,
                             .resolution = Resolution{.mantissa = 1, .scale = 2},
                             .min = -1e6,
                             .max = 1e6});
  }
  schema_ = std::make_shared<const Schema>(std::move(schema));
  for (std::size_t d = 0; d < kDevices; ++d) devices_.push_back(fmt::format("dev-{:03}", d));
}

double G1::normal() {
  const double u = 1.0 - entropy_.unit();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * entropy_.unit());
}

Batch G1::next(std::size_t rows) {
  Batch batch = make_batch(schema_);
  batch.devices = devices_;
  for (std::size_t i = 0; i < rows; ++i, ++row_) {
    const std::size_t device = row_ % kDevices;
    batch.device.push_back(static_cast<std::uint32_t>(device));
    batch.ts.push_back(kStart + static_cast<std::int64_t>(row_ / kDevices) * 1'000'000);
    batch.quality.push_back(Quality::Good);
    for (std::size_t f = 0; f < kFields; ++f) {
      std::int64_t& value = values_[device * kFields + f];
      value += std::llround(20 * normal());
      batch.columns[f].ints().push_back(value);
    }
  }
  return batch;
}

}  // namespace infiniedge::record::testing
