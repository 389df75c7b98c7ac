// SPDX-License-Identifier: Apache-2.0
// Input: table, count (2 bytes), then a frame as a device would send it.
#include <array>
#include <cstdint>
#include <string_view>

#include "device/modbus/frame.hpp"
#include "device/modbus/registers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::device;
  if (size < 3 + modbus::kHeader) return 0;
  const auto table = static_cast<modbus::Table>(data[0] % 4);
  const auto count = static_cast<std::uint16_t>(1 + (data[1] << 8 | data[2]) % 125);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto header = modbus::parse_header(bytes);
  if (!header) return 0;
  const auto pdu = bytes.substr(modbus::kHeader);
  (void)modbus::exception_of(pdu, modbus::read_function(table));
  if (!pdu.empty()) (void)modbus::parse_echo(pdu, modbus::write_coil(count, true));
  const auto values = modbus::parse_read(pdu, table, count);
  if (!values) return 0;
  static constexpr std::array<std::string_view, 10> kTypes{"bool",    "int16", "uint16", "int32",
                                                           "uint32",  "int64", "uint64", "float32",
                                                           "float64", "string"};
  for (const auto type : kTypes) {
    const auto width = modbus::registers_of(type, 2 * values->size());
    if (width > values->size()) continue;
    for (const auto order :
         {modbus::Order::ABCD, modbus::Order::CDAB, modbus::Order::BADC, modbus::Order::DCBA}) {
      (void)modbus::decode(std::span(*values).first(width), type, order);
    }
  }
  return 0;
}
