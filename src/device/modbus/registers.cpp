// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace infiniedge::device::modbus {
namespace {

constexpr std::array<std::string_view, 4> kOrders{"ABCD", "CDAB", "BADC", "DCBA"};

bool swaps_words(Order order) { return order == Order::CDAB || order == Order::DCBA; }
bool swaps_bytes(Order order) { return order == Order::BADC || order == Order::DCBA; }

std::uint16_t swap_bytes(std::uint16_t x) { return static_cast<std::uint16_t>(x << 8 | x >> 8); }

/// The value's bits, most significant register first whatever the order.
std::uint64_t join(std::span<const std::uint16_t> registers, Order order) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const auto word = registers[swaps_words(order) ? registers.size() - 1 - i : i];
    bits = bits << 16 | (swaps_bytes(order) ? swap_bytes(word) : word);
  }
  return bits;
}

std::vector<std::uint16_t> split(std::uint64_t bits, std::size_t count, Order order) {
  std::vector<std::uint16_t> out;
  for (std::size_t i = count; i > 0; --i) {
    const auto word = static_cast<std::uint16_t>(bits >> (16 * (i - 1)));
    out.push_back(swaps_bytes(order) ? swap_bytes(word) : word);
  }
  if (swaps_words(order)) std::ranges::reverse(out);
  return out;
}

/// Text keeps its words in order; only the bytes within them may be swapped.
std::string decode_text(std::span<const std::uint16_t> registers, Order order) {
  std::string out;
  for (auto word : registers) {
    if (swaps_bytes(order)) word = swap_bytes(word);
    out.push_back(static_cast<char>(word >> 8));
    out.push_back(static_cast<char>(word & 0xFF));
  }
  return out;
}

Result<std::vector<std::uint16_t>> encode_text(std::string text, std::size_t length, Order order) {
  if (text.size() > length) {
    return Error{Code::Invalid,
                 fmt::format("the text has {} bytes; there is room for {}", text.size(), length)};
  }
  text.resize(registers_of("string", length) * 2, '\0');
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto word = static_cast<std::uint16_t>(static_cast<std::uint8_t>(text[i]) << 8 |
                                                 static_cast<std::uint8_t>(text[i + 1]));
    out.push_back(swaps_bytes(order) ? swap_bytes(word) : word);
  }
  return out;
}

std::uint64_t bits_of(const Value& value, std::string_view type) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  const auto* whole = std::get_if<std::int64_t>(&value);
  const double real = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  if (type == "float32") return std::bit_cast<std::uint32_t>(static_cast<float>(real));
  if (type == "float64") return std::bit_cast<std::uint64_t>(real);
  if (whole != nullptr) return static_cast<std::uint64_t>(*whole);
  // Only a uint64 above the signed range comes as a double; unconvert has checked its bounds.
  return real >= 18446744073709551615.0 ? UINT64_MAX : static_cast<std::uint64_t>(real);
}

}  // namespace

Result<Order> parse_order(std::string_view name) {
  const auto* const at = std::ranges::find(kOrders, name);
  if (at != kOrders.end()) return static_cast<Order>(at - kOrders.begin());
  return Error{Code::Invalid,
               fmt::format("\"{}\" is not a word order: ABCD, CDAB, BADC or DCBA", name)};
}

std::size_t registers_of(std::string_view type, std::size_t length) {
  if (type == "string" || type == "bytes") return (length + 1) / 2;
  if (type == "bool" || type == "int16" || type == "uint16") return 1;
  if (type == "int32" || type == "uint32" || type == "float32") return 2;
  if (type == "int64" || type == "uint64" || type == "float64") return 4;
  return 0;
}

Value decode(std::span<const std::uint16_t> registers, std::string_view type, Order order) {
  if (type == "bytes") return decode_text(registers, order);
  if (type == "string") {
    auto text = decode_text(registers, order);
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
  }
  const auto bits = join(registers, order);
  if (type == "bool") return bits != 0;
  if (type == "int16") return std::int64_t{static_cast<std::int16_t>(bits)};
  if (type == "int32") return std::int64_t{static_cast<std::int32_t>(bits)};
  if (type == "float32") {
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  if (type == "float64") return std::bit_cast<double>(bits);
  if (type == "uint64" && bits > static_cast<std::uint64_t>(INT64_MAX)) {
    return static_cast<double>(bits);
  }
  return static_cast<std::int64_t>(bits);
}

Result<std::vector<std::uint16_t>> encode(const Value& value, std::string_view type,
                                          std::size_t length, Order order) {
  if (const auto* text = std::get_if<std::string>(&value)) return encode_text(*text, length, order);
  return split(bits_of(value, type), registers_of(type, length), order);
}

}  // namespace infiniedge::device::modbus
