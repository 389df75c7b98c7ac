// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/modbus/address.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::device::modbus {

// Limits of one request (MODBUS Application Protocol V1.1b3, sections 6.1 to 6.12).
inline constexpr std::size_t kMaxReadBits = 2000, kMaxReadRegisters = 125;
inline constexpr std::size_t kMaxWriteBits = 1968, kMaxWriteRegisters = 123;
inline constexpr std::size_t kHeader = 7;  ///< MBAP: transaction, protocol, length, unit.
inline constexpr std::size_t kMaxPdu = 253;

// Requests: function code and data.
std::string read_request(Table table, std::uint16_t offset, std::uint16_t count);
std::string write_coil(std::uint16_t offset, bool on);                                     // 5
std::string write_coils(std::uint16_t offset, const std::vector<bool>& on);                // 15
std::string write_register(std::uint16_t offset, std::uint16_t value);                     // 6
std::string write_registers(std::uint16_t offset, std::span<const std::uint16_t> values);  // 16
std::string mask_register(std::uint16_t offset, std::uint16_t keep, std::uint16_t set);    // 22

/// MBAP header and request.
std::string frame(std::uint16_t transaction, std::uint8_t unit, std::string_view pdu);

struct Header {
  std::uint16_t transaction = 0;
  std::uint16_t length = 0;  ///< Of unit and PDU.
  std::uint8_t unit = 0;
};
/// Errors: Corrupt: not Modbus, or a length that no PDU has. Requires: seven bytes.
Result<Header> parse_header(std::string_view bytes);

/// A device's refusal: FC + 80 hex, then a code.
struct Exception {
  std::uint8_t code = 0;
};
/// The exception in a response to `function`, if it is one.
std::optional<Exception> exception_of(std::string_view pdu, std::uint8_t function);
/// "02 illegal data address"
std::string_view exception_name(std::uint8_t code);

/// What a read response holds: one entry a bit or register.
/// Errors: Corrupt when the response does not fit the request.
Result<std::vector<std::uint16_t>> parse_read(std::string_view pdu, Table table,
                                              std::uint16_t count);
/// The echo of a write. Errors: Corrupt when it is another.
Result<void> parse_echo(std::string_view pdu, std::string_view request);

}  // namespace infiniedge::device::modbus
