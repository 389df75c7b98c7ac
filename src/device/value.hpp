// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "infiniedge/batch.hpp"
#include "infiniedge/connector.hpp"

namespace infiniedge::device {

/// A raw value as a device sent it; monostate: none. Text may still have to become a number,
/// as the point's type says.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// One point's part of a row. No value and Good: the point has no news in this row.
struct Cell {
  Value value;
  Quality quality = Quality::Good;
  std::string_view reason{};  ///< OPC UA's name of the fault; a string literal. Empty: none.

  static Cell bad(std::string_view why) { return {{}, Quality::Bad, why}; }
  bool absent() const { return value.index() == 0 && quality == Quality::Good; }
};

// Reasons, by the names that OPC UA gives them.
inline constexpr std::string_view kBadNoCommunication = "BadNoCommunication";
inline constexpr std::string_view kBadTimeout = "BadTimeout";
inline constexpr std::string_view kBadDeviceFailure = "BadDeviceFailure";
inline constexpr std::string_view kBadDecodingError = "BadDecodingError";
inline constexpr std::string_view kBadConfigurationError = "BadConfigurationError";
inline constexpr std::string_view kBadOutOfRange = "BadOutOfRange";
inline constexpr std::string_view kBadWaitingForInitialData = "BadWaitingForInitialData";
inline constexpr std::string_view kBadUserAccessDenied = "BadUserAccessDenied";

/// `raw` read as the point's type says, then raw · scale + offset: text becomes a number, a
/// number that does not fit the type is Bad with BadOutOfRange or BadDecodingError.
Cell convert(const Point& point, Cell raw);

/// The raw number that a device must be sent so that it means `value`: (value − offset) / scale.
/// Text and bool points pass through. Errors: Invalid, naming the point and its type.
Result<Value> unconvert(const Point& point, std::string_view value);

/// As in JSON: `21.5`, `true`, `"text"`; bytes as base64 text; nothing is `null`.
std::string to_json(const Value& value, std::string_view point_type);

std::string base64(const std::string& bytes);

bool is_integer_type(std::string_view point_type);
bool is_number_type(std::string_view point_type);

}  // namespace infiniedge::device
