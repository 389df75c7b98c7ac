// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge {

enum class Type : std::uint8_t { Bool, Int, Decimal, Float, String, Bytes };

constexpr std::string_view to_string(Type type) {
  constexpr std::string_view kNames[] = {"bool", "int", "decimal", "float", "string", "bytes"};
  return kNames[static_cast<int>(type)];
}

/// Step of a decimal field: mantissa · 10^-scale, mantissa in {1, 2, 5}, scale ≤ 9.
/// The stored integer is mantissa · llround(x · 10^scale / mantissa); its value · 10^-scale is x.
struct Resolution {
  std::uint8_t mantissa = 1;
  std::uint8_t scale = 0;
  bool operator==(const Resolution&) const = default;
};

/// Interned sovereignty label; 1 is the default (home, restricted, `ops`).
enum class LabelId : std::uint16_t { Default = 1 };

/// Ids of the columns that every stream has; own fields start at kFirstField.
enum : std::uint16_t {
  kDeviceField = 1,
  kTsField = 2,
  kSeqField = 3,
  kQualityField = 4,
  kStreamField = 5,
  kFirstField = 16
};

struct Field {
  std::uint16_t id = 0;  ///< Stable over schema versions, from kFirstField.
  std::string name;      ///< As in SQL: [a-z_][a-z0-9_]*.
  Type type = Type::Float;
  std::string unit{};                      ///< UCUM, e.g. "Cel"; empty if none.
  std::optional<Resolution> resolution{};  ///< Iff type is Decimal.
  std::optional<double> min{}, max{};      ///< Outside: null and Quality::Bad.
  bool operator==(const Field&) const = default;
};

/// The shape of a stream's rows. Immutable once shared; a change is a new version.
struct Schema {
  std::string stream;  ///< SQL spelling: `-` is `_`.
  std::uint16_t version = 1;
  LabelId label = LabelId::Default;
  std::vector<Field> fields;

  /// Position in `fields`, or nothing.
  std::optional<std::size_t> find(std::string_view name) const {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) return i;
    }
    return std::nullopt;
  }
  bool operator==(const Schema&) const = default;
};

using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace infiniedge
