// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::device::modbus {

enum class Table : std::uint8_t { Coil, DiscreteInput, InputRegister, HoldingRegister };

constexpr bool is_bits(Table table) {
  return table == Table::Coil || table == Table::DiscreteInput;
}
constexpr bool is_writable(Table table) {
  return table == Table::Coil || table == Table::HoldingRegister;
}
/// The function code that reads the table.
constexpr std::uint8_t read_function(Table table) {
  constexpr std::uint8_t kCodes[] = {1, 2, 4, 3};
  return kCodes[static_cast<int>(table)];
}

/// A place in a Modbus device.
struct Address {
  Table table = Table::HoldingRegister;
  std::uint16_t offset = 0;           ///< On the wire, from 0.
  std::optional<std::uint8_t> bit{};  ///< Of a register; 0 is the least significant.
  bool operator==(const Address&) const = default;

  /// Five or six digits (`40001` = `400001`), or `co: di: ir: hr:` with a wire address; `.n` is
  /// a bit. Errors: Invalid, saying what the form allows.
  static Result<Address> parse(std::string_view text);
  /// "hr:10.3"
  std::string text() const;
};

}  // namespace infiniedge::device::modbus
