// SPDX-License-Identifier: Apache-2.0
#include "device/row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "record/decimal.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;

std::optional<double> number_of(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

std::optional<std::int64_t> to_integer(const Value& value, const Field& field) {
  if (field.type == Type::Decimal) {
    return record::to_scaled(*number_of(value), field.resolution.value_or(Resolution{}));
  }
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  const double rounded = std::round(*number_of(value));
  if (!(rounded >= -kTwo63 && rounded < kTwo63)) return std::nullopt;
  return static_cast<std::int64_t>(rounded);
}

bool in_range(double x, const Field& field) {
  return std::isfinite(x) && x >= field.min.value_or(x) && x <= field.max.value_or(x);
}

bool is_binary(Type type) { return type == Type::String || type == Type::Bytes; }

}  // namespace

RowBuilder::RowBuilder(const DeviceSpec& spec, Latest* latest)
    : device_(spec.name),
      points_(spec.points),
      schema_(spec.schema),
      latest_(latest),
      sent_(spec.points.size()),
      warned_(spec.points.size(), false) {
  INFINIEDGE_CHECK(schema_ != nullptr && schema_->fields.size() == points_.size());
  reset();
}

void RowBuilder::reset() {
  batch_ = Batch{.schema = schema_, .label = schema_->label, .devices = {device_}};
  batch_.columns.resize(schema_->fields.size());
  for (std::size_t i = 0; i < batch_.columns.size(); ++i) {
    const auto type = schema_->fields[i].type;
    if (is_binary(type)) batch_.columns[i].values.emplace<Binary>();
    if (type == Type::Float) batch_.columns[i].values.emplace<std::vector<double>>();
  }
  bytes_ = 0;
}

bool RowBuilder::add(Timestamp ts, std::vector<Cell> cells, Quality floor) {
  INFINIEDGE_CHECK(cells.size() == points_.size());
  bool news = false;
  auto worst = floor;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto& cell = cells[i];
    if (cell.absent()) continue;
    const bool had_value = cell.value.index() != 0;
    finish(i, cell);
    if (latest_ != nullptr) latest_->update(i, cell, ts);
    if (within_deadband(i, cell)) {
      cell = Cell{};
      continue;
    }
    news = true;
    worst = std::max(worst, cell.quality);
    if (had_value) warn(i, cell);  // Who found no value has said so.
  }
  if (!news) return false;
  for (std::size_t i = 0; i < cells.size(); ++i) append(i, cells[i]);
  batch_.device.push_back(0);
  batch_.ts.push_back(to_us(ts));
  batch_.quality.push_back(worst);
  return true;
}

/// Converts, then holds the value against the field: what does not fit is null and Bad.
void RowBuilder::finish(std::size_t point, Cell& cell) const {
  cell = convert(points_[point], std::move(cell));
  if (cell.value.index() == 0) return;
  const auto& field = schema_->fields[point];
  if (is_binary(field.type)) {
    if (!std::holds_alternative<std::string>(cell.value)) {
      cell.value = Value{to_json(cell.value, "string")};
    }
    return;
  }
  const auto x = number_of(cell.value);
  if (!x) {
    cell = Cell::bad(kBadDecodingError);
  } else if (!in_range(*x, field) ||
             (field.type != Type::Float && !to_integer(cell.value, field))) {
    cell = Cell::bad(kBadOutOfRange);
  }
}

bool RowBuilder::within_deadband(std::size_t point, const Cell& cell) const {
  const auto& last = sent_[point];
  if (points_[point].deadband <= 0 || !last || cell.quality == Quality::Bad) return false;
  const auto x = number_of(cell.value);
  return x && std::abs(*x - *last) < points_[point].deadband;
}

void RowBuilder::warn(std::size_t point, const Cell& cell) {
  if (cell.quality != Quality::Bad) warned_[point] = false;
  if (cell.quality != Quality::Bad || warned_[point]) return;
  warned_[point] = true;
  const auto& field = schema_->fields[point];
  const auto why =
      cell.reason == kBadOutOfRange
          ? fmt::format("point {} is outside its range or type ({}); stored as null", field.name,
                        points_[point].type)
          : fmt::format("point {} is not a {}; stored as null", field.name, points_[point].type);
  runtime::log(runtime::Level::Warning, "device", why, {{"resource", "device/" + device_}});
}

void RowBuilder::append(std::size_t point, const Cell& cell) {
  auto& column = batch_.columns[point];
  const bool null = cell.value.index() == 0;
  if (null && column.nulls.empty()) column.nulls.assign(batch_.rows(), false);
  if (null || !column.nulls.empty()) column.nulls.push_back(null);
  if (points_[point].deadband > 0 && !null) sent_[point] = number_of(cell.value);
  bytes_ += sizeof(double);
  if (auto* binary = std::get_if<Binary>(&column.values)) {
    const auto* text = std::get_if<std::string>(&cell.value);
    binary->push_back(text != nullptr ? std::string_view{*text} : std::string_view{});
    bytes_ += text != nullptr ? text->size() : 0;
  } else if (auto* floats = std::get_if<std::vector<double>>(&column.values)) {
    floats->push_back(null ? 0 : *number_of(cell.value));
  } else {
    column.ints().push_back(null ? 0 : *to_integer(cell.value, schema_->fields[point]));
  }
}

Batch RowBuilder::take() {
  auto out = std::move(batch_);
  reset();
  return out;
}

}  // namespace infiniedge::device
