// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "device/value.hpp"

namespace infiniedge::device::modbus {

/// How a value of several bytes lies in registers; each register itself is big-endian.
enum class Order : std::uint8_t {
  ABCD,  ///< Big-endian.
  CDAB,  ///< Words swapped.
  BADC,  ///< Bytes swapped in each word.
  DCBA   ///< Both: little-endian.
};

Result<Order> parse_order(std::string_view name);

/// Registers that a point's type takes; `length` is a string's in bytes. 0: not a Modbus type.
std::size_t registers_of(std::string_view type, std::size_t length);

/// Requires: registers.size() = registers_of(type, length). Strings end at the first NUL.
Value decode(std::span<const std::uint16_t> registers, std::string_view type, Order order);

/// The registers that hold a raw value (see device::unconvert).
/// Errors: Invalid for a string longer than `length`.
Result<std::vector<std::uint16_t>> encode(const Value& value, std::string_view type,
                                          std::size_t length, Order order);

}  // namespace infiniedge::device::modbus
