// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/spec.hpp"

namespace infiniedge::app::config {

enum class FieldType : std::uint8_t {
  Text,
  Bool,
  Integer,
  Number,
  Duration,   ///< 250ms, 1m30s, 7d.
  ByteSize,   ///< 64Ki, 2G.
  Enum,       ///< One of `values`.
  Reference,  ///< Name of a resource of `kind`.
  Sql,        ///< A whole select.
  Expression,
  Secret,   ///< {secretRef: {name, key?}}; never a literal.
  Object,   ///< Mapping with `fields`.
  Options,  ///< Mapping described by the connector's Spec.
  PointOptions,
  Range,  ///< [low, high].
  Map,    ///< Any names, scalar values.
  Any     ///< Checked by its reader.
};

/// One field of a resource: the single source of validation, `infiniedge explain` and the
/// reference pages.
struct FieldSpec {
  std::string_view name;
  FieldType type = FieldType::Text;
  std::string_view doc;
  std::string_view fallback = "";  ///< Default as written; empty: none.
  bool required = false;
  bool list = false;   ///< A sequence of `type`.
  bool later = false;  ///< Part of the format, but not of this version: refused as `unsupported`.
  std::span<const std::string_view> values{};
  std::span<const FieldSpec> fields{};
  std::span<const std::string_view> aliases{};
  double min = 0, max = 0;     ///< Bounds of numbers; equal: none.
  std::string_view kind = "";  ///< Of Reference.
};

struct KindSpec {
  std::string_view kind;    ///< "Device"
  std::string_view plural;  ///< "devices"
  std::string_view doc;
  std::span<const FieldSpec> fields;
  bool later = false;
};

/// All kinds of ux.md, in the order in which they depend on one another.
std::span<const KindSpec> kinds();
/// By kind or plural, any case; null if there is none.
const KindSpec* find_kind(std::string_view name);
std::vector<std::string> kind_names();

/// Says which parts this binary has; validation asks it about connectors.
class Parts {
 public:
  virtual ~Parts() = default;
  /// Null if there is no such connector.
  virtual const Spec* connector(std::string_view name) const = 0;
  virtual std::vector<std::string> connectors() const = 0;
};

}  // namespace infiniedge::app::config
