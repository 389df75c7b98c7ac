// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "infiniedge/batch.hpp"

namespace infiniedge::stream {

/// One value, or NULL.
using Scalar = std::variant<std::monostate, std::int64_t, double, std::string>;

/// Values of one expression over the rows of a frame. Decimals are numbers here: type is never
/// Decimal. Data is owned, or borrowed from a batch that outlives it; `constant`: one value
/// stands for every row.
class Vec {
 public:
  Type type = Type::Float;
  bool constant = false;
  std::vector<std::int64_t> own_ints;  ///< Bool, Int
  std::vector<double> own_floats;      ///< Float
  Binary own_text;                     ///< String, Bytes
  const std::int64_t* lent_ints = nullptr;
  const double* lent_floats = nullptr;
  const Binary* lent_text = nullptr;
  std::vector<std::uint8_t> nulls;    ///< Empty: none; else one a value, 1 = NULL.
  std::vector<std::uint32_t> errors;  ///< Rows that are NULL because something failed.

  const std::int64_t* ints() const { return lent_ints != nullptr ? lent_ints : own_ints.data(); }
  const double* floats() const { return lent_floats != nullptr ? lent_floats : own_floats.data(); }
  const Binary& text() const { return lent_text != nullptr ? *lent_text : own_text; }

  std::size_t at(std::size_t row) const { return constant ? 0 : row; }
  bool null(std::size_t row) const { return !nulls.empty() && nulls[at(row)] != 0; }
  std::int64_t integer(std::size_t row) const { return ints()[at(row)]; }
  double number(std::size_t row) const { return floats()[at(row)]; }
  std::string_view view(std::size_t row) const { return text()[at(row)]; }
  bool truth(std::size_t row) const { return !null(row) && integer(row) != 0; }
  Scalar scalar(std::size_t row) const;

  bool is_text() const { return type == Type::String || type == Type::Bytes; }
  bool is_float() const { return type == Type::Float; }

  /// An owned vector of `type` to be filled with push_*.
  static Vec make(Type type, std::size_t reserve = 0);
  static Vec of_constant(Type type, const Scalar& value);

  /// Values pushed so far; of a lent one unknown.
  std::size_t pushed() const;
  void push_int(std::int64_t value);
  void push_float(double value);
  void push_text(std::string_view value);
  void push_null();
  void push(const Scalar& value);
  /// Appends value `row` of `from`, which has the same type.
  void push_from(const Vec& from, std::size_t row);
  /// A NULL that stands for a failure.
  void push_error();

  /// Rows picked in order.
  Vec gather(std::span<const std::uint32_t> rows) const;
  /// Constants repeated, so that row r is value r.
  Vec spread(std::size_t rows) const;
};

/// Reads a batch column of `field` without copying where it can: decimals become numbers,
/// correctly rounded. `column` outlives the result.
Vec load(const Field& field, const Column& column, std::size_t rows);

/// A column as a batch stores it; a decimal if `field` is one.
Column store(const Vec& vec, const Field& field, std::size_t rows);

/// 10^scale, exact for scale ≤ 18.
double power_of_ten(int scale);

}  // namespace infiniedge::stream
