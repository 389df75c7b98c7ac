// SPDX-License-Identifier: Apache-2.0
#include "stream/vec.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace infiniedge::stream {

double power_of_ten(int scale) {
  constexpr std::array<double, 19> kPowers = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                              1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                              1e14, 1e15, 1e16, 1e17, 1e18};
  return kPowers[static_cast<std::size_t>(scale)];
}

Scalar Vec::scalar(std::size_t row) const {
  if (null(row)) return std::monostate{};
  if (is_text()) return std::string(view(row));
  if (is_float()) return number(row);
  return integer(row);
}

Vec Vec::make(Type type, std::size_t reserve) {
  Vec out;
  out.type = type;
  if (out.is_text()) {
    out.own_text.offsets.reserve(reserve + 1);
  } else if (out.is_float()) {
    out.own_floats.reserve(reserve);
  } else {
    out.own_ints.reserve(reserve);
  }
  return out;
}

Vec Vec::of_constant(Type type, const Scalar& value) {
  auto out = make(type, 1);
  out.constant = true;
  out.push(value);
  return out;
}

std::size_t Vec::pushed() const {
  if (is_text()) return own_text.size();
  return is_float() ? own_floats.size() : own_ints.size();
}

void Vec::push_int(std::int64_t value) {
  own_ints.push_back(value);
  if (!nulls.empty()) nulls.push_back(0);
}

void Vec::push_float(double value) {
  own_floats.push_back(value);
  if (!nulls.empty()) nulls.push_back(0);
}

void Vec::push_text(std::string_view value) {
  own_text.push_back(value);
  if (!nulls.empty()) nulls.push_back(0);
}

void Vec::push_null() {
  if (nulls.empty()) nulls.assign(pushed(), 0);
  if (is_text()) {
    own_text.push_back({});
  } else if (is_float()) {
    own_floats.push_back(0);
  } else {
    own_ints.push_back(0);
  }
  nulls.push_back(1);
}

void Vec::push_error() {
  errors.push_back(static_cast<std::uint32_t>(pushed()));
  push_null();
}

void Vec::push(const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    push_null();
  } else if (is_text()) {
    push_text(std::get<std::string>(value));
  } else if (is_float()) {
    push_float(std::get<double>(value));
  } else {
    push_int(std::get<std::int64_t>(value));
  }
}

void Vec::push_from(const Vec& from, std::size_t row) {
  if (from.null(row)) {
    push_null();
  } else if (is_text()) {
    push_text(from.view(row));
  } else if (is_float()) {
    push_float(from.number(row));
  } else {
    push_int(from.integer(row));
  }
}

Vec Vec::gather(std::span<const std::uint32_t> rows) const {
  auto out = make(type, rows.size());
  if (is_text()) {
    for (const auto row : rows) out.own_text.push_back(view(row));
  } else if (is_float()) {
    for (const auto row : rows) out.own_floats.push_back(number(row));
  } else {
    for (const auto row : rows) out.own_ints.push_back(integer(row));
  }
  if (!nulls.empty()) {
    out.nulls.reserve(rows.size());
    for (const auto row : rows) out.nulls.push_back(nulls[at(row)]);
  }
  if (errors.empty() || constant) return out;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const bool failed = std::binary_search(errors.begin(), errors.end(), rows[i]);
    if (failed) out.errors.push_back(i);
  }
  return out;
}

Vec Vec::spread(std::size_t rows) const {
  if (!constant) return *this;
  const std::vector<std::uint32_t> zeros(rows, 0);
  return gather(zeros);
}

namespace {

/// What is not finite is no value: it would spoil every sum that it meets.
void hide_nonfinite(Vec& vec, std::size_t rows) {
  const auto* values = vec.floats();
  for (std::size_t i = 0; i < rows; ++i) {
    if (std::isfinite(values[i])) continue;
    if (vec.nulls.empty()) vec.nulls.assign(rows, 0);
    vec.nulls[i] = 1;
  }
}

}  // namespace

Vec load(const Field& field, const Column& column, std::size_t rows) {
  Vec out;
  out.type = field.type == Type::Decimal ? Type::Float : field.type;
  if (field.type == Type::Decimal) {
    // A division is correctly rounded: 3 at scale 1 is the double that "0.3" reads as.
    const double divisor = power_of_ten(field.resolution.value_or(Resolution{}).scale);
    out.own_floats.resize(rows);
    const auto& scaled = column.ints();
    for (std::size_t i = 0; i < rows; ++i) {
      out.own_floats[i] = static_cast<double>(scaled[i]) / divisor;
    }
  } else if (out.is_text()) {
    out.lent_text = &column.binary();
  } else if (out.is_float()) {
    out.lent_floats = column.floats().data();
  } else {
    out.lent_ints = column.ints().data();
  }
  if (!column.nulls.empty()) out.nulls.assign(column.nulls.begin(), column.nulls.end());
  if (field.type == Type::Float) hide_nonfinite(out, rows);
  return out;
}

namespace {

constexpr double kLargestDecimal = 9.2e18;

/// A value that its resolution cannot hold is NULL.
void store_decimal(const Vec& vec, const Resolution& resolution, std::size_t rows, Column& out) {
  const double factor = power_of_ten(resolution.scale) / resolution.mantissa;
  std::vector<std::int64_t> scaled(rows, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    if (vec.null(i)) continue;
    const double steps = vec.number(i) * factor;
    if (std::abs(steps) < kLargestDecimal / resolution.mantissa) {
      scaled[i] = resolution.mantissa * std::llround(steps);
    } else {
      if (out.nulls.empty()) out.nulls.assign(rows, false);
      out.nulls[i] = true;
    }
  }
  out.values = std::move(scaled);
}

}  // namespace

Column store(const Vec& vec, const Field& field, std::size_t rows) {
  Column out;
  if (!vec.nulls.empty()) {
    out.nulls.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) out.nulls[i] = vec.null(i);
  }
  if (field.type == Type::Decimal) {
    store_decimal(vec, field.resolution.value_or(Resolution{}), rows, out);
  } else if (vec.is_text()) {
    Binary text;
    text.offsets.reserve(rows + 1);
    for (std::size_t i = 0; i < rows; ++i) text.push_back(vec.null(i) ? "" : vec.view(i));
    out.values = std::move(text);
  } else if (vec.is_float()) {
    std::vector<double> floats(rows);
    for (std::size_t i = 0; i < rows; ++i) floats[i] = vec.number(i);
    out.values = std::move(floats);
  } else {
    std::vector<std::int64_t> ints(rows);
    for (std::size_t i = 0; i < rows; ++i) ints[i] = vec.integer(i);
    out.values = std::move(ints);
  }
  return out;
}

}  // namespace infiniedge::stream
