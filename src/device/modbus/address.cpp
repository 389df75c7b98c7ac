// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace infiniedge::device::modbus {
namespace {

struct TableName {
  std::string_view prefix;
  char digit;
  Table table;
};
constexpr std::array<TableName, 4> kTables{{{"co:", '0', Table::Coil},
                                            {"di:", '1', Table::DiscreteInput},
                                            {"ir:", '3', Table::InputRegister},
                                            {"hr:", '4', Table::HoldingRegister}}};

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

/// The table's own prefix and a wire address.
std::optional<Address> parse_prefixed(std::string_view text) {
  for (const auto& name : kTables) {
    if (!text.starts_with(name.prefix)) continue;
    const auto offset = number(text.substr(name.prefix.size()));
    if (!offset || *offset > 65535) return std::nullopt;
    return Address{name.table, static_cast<std::uint16_t>(*offset)};
  }
  return std::nullopt;
}

/// The first digit is the table, the rest counts from 1.
std::optional<Address> parse_digits(std::string_view text) {
  if (text.size() != 5 && text.size() != 6) return std::nullopt;
  const auto rest = number(text.substr(1));
  if (!rest || *rest < 1 || *rest > 65536) return std::nullopt;
  for (const auto& name : kTables) {
    if (text[0] == name.digit) return Address{name.table, static_cast<std::uint16_t>(*rest - 1)};
  }
  return std::nullopt;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  const Error wrong{
      Code::Invalid,
      fmt::format("\"{}\" is not a Modbus address: write five or six digits in quotes (\"40001\" "
                  "is the first holding register), or co:, di:, ir: or hr: and a number from 0 to "
                  "65535; .0 to .15 behind a register is a bit",
                  text)};
  const auto dot = std::min(text.find('.'), text.size());
  auto out = parse_prefixed(text.substr(0, dot));
  if (!out) out = parse_digits(text.substr(0, dot));
  if (!out) return wrong;
  if (dot == text.size()) return *out;
  const auto bit = number(text.substr(dot + 1));
  if (!bit || *bit > 15 || is_bits(out->table)) return wrong;
  out->bit = static_cast<std::uint8_t>(*bit);
  return *out;
}

std::string Address::text() const {
  const auto* const name = std::ranges::find(kTables, table, &TableName::table);
  return bit ? fmt::format("{}{}.{}", name->prefix, offset, *bit)
             : fmt::format("{}{}", name->prefix, offset);
}

}  // namespace infiniedge::device::modbus
