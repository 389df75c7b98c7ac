// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/frame.hpp"

#include <fmt/format.h>

#include <array>

#include "base/check.hpp"

namespace infiniedge::device::modbus {
namespace {

void put16(std::string& out, std::uint16_t x) {
  out.push_back(static_cast<char>(x >> 8));
  out.push_back(static_cast<char>(x & 0xFF));
}

std::uint8_t byte(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t get16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte(bytes, at) << 8 | byte(bytes, at + 1));
}

std::string begin(std::uint8_t function, std::uint16_t first, std::uint16_t second) {
  std::string out(1, static_cast<char>(function));
  put16(out, first);
  put16(out, second);
  return out;
}

Error corrupt(std::string_view what) {
  return {Code::Corrupt, fmt::format("the device's answer is not Modbus: {}", what)};
}

}  // namespace

std::string read_request(Table table, std::uint16_t offset, std::uint16_t count) {
  INFINIEDGE_ASSERT(count > 0 && count <= (is_bits(table) ? kMaxReadBits : kMaxReadRegisters));
  return begin(read_function(table), offset, count);
}

std::string write_coil(std::uint16_t offset, bool on) { return begin(5, offset, on ? 0xFF00 : 0); }

std::string write_register(std::uint16_t offset, std::uint16_t value) {
  return begin(6, offset, value);
}

std::string write_coils(std::uint16_t offset, const std::vector<bool>& on) {
  INFINIEDGE_ASSERT(!on.empty() && on.size() <= kMaxWriteBits);
  auto out = begin(15, offset, static_cast<std::uint16_t>(on.size()));
  std::string bits((on.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < on.size(); ++i) {
    if (on[i]) bits[i / 8] = static_cast<char>(byte(bits, i / 8) | 1U << (i % 8));
  }
  out.push_back(static_cast<char>(bits.size()));
  return out + bits;
}

std::string write_registers(std::uint16_t offset, std::span<const std::uint16_t> values) {
  INFINIEDGE_ASSERT(!values.empty() && values.size() <= kMaxWriteRegisters);
  auto out = begin(16, offset, static_cast<std::uint16_t>(values.size()));
  out.push_back(static_cast<char>(values.size() * 2));
  for (const auto value : values) put16(out, value);
  return out;
}

std::string mask_register(std::uint16_t offset, std::uint16_t keep, std::uint16_t set) {
  auto out = begin(22, offset, keep);
  put16(out, set);
  return out;
}

std::string frame(std::uint16_t transaction, std::uint8_t unit, std::string_view pdu) {
  std::string out;
  put16(out, transaction);
  put16(out, 0);
  put16(out, static_cast<std::uint16_t>(pdu.size() + 1));
  out.push_back(static_cast<char>(unit));
  return out.append(pdu);
}

Result<Header> parse_header(std::string_view bytes) {
  INFINIEDGE_CHECK(bytes.size() >= kHeader);
  if (get16(bytes, 2) != 0) return corrupt("its protocol number is not 0");
  const Header out{get16(bytes, 0), get16(bytes, 4), byte(bytes, 6)};
  if (out.length < 3 || out.length > kMaxPdu + 1) {
    return corrupt(fmt::format("it claims {} bytes", out.length));
  }
  return out;
}

std::optional<Exception> exception_of(std::string_view pdu, std::uint8_t function) {
  if (pdu.size() < 2 || byte(pdu, 0) != (function | 0x80)) return std::nullopt;
  return Exception{byte(pdu, 1)};
}

std::string_view exception_name(std::uint8_t code) {
  switch (code) {
    case 1:
      return "01 illegal function";
    case 2:
      return "02 illegal data address";
    case 3:
      return "03 illegal data value";
    case 4:
      return "04 device failure";
    case 5:
      return "05 acknowledge";
    case 6:
      return "06 device busy";
    case 8:
      return "08 memory parity error";
    case 10:
      return "0A gateway path unavailable";
    case 11:
      return "0B gateway target failed to respond";
    default:
      return "an unknown exception";
  }
}

Result<std::vector<std::uint16_t>> parse_read(std::string_view pdu, Table table,
                                              std::uint16_t count) {
  const std::size_t bytes = is_bits(table) ? (count + 7U) / 8 : count * 2U;
  if (pdu.size() != bytes + 2 || byte(pdu, 0) != read_function(table) || byte(pdu, 1) != bytes) {
    return corrupt(fmt::format("{} bytes of function {} for {} values", pdu.size(),
                               pdu.empty() ? 0 : byte(pdu, 0), count));
  }
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(is_bits(table) ? byte(pdu, 2 + i / 8) >> (i % 8) & 1 : get16(pdu, 2 + 2 * i));
  }
  return out;
}

Result<void> parse_echo(std::string_view pdu, std::string_view request) {
  // 15 and 16 echo address and count; the others echo all.
  const bool multiple = byte(request, 0) == 15 || byte(request, 0) == 16;
  if (pdu != request.substr(0, multiple ? 5 : request.size())) {
    return corrupt("it does not confirm what was written");
  }
  return {};
}

}  // namespace infiniedge::device::modbus
