// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace infiniedge::record {

/// Bits that `value` needs: 0 for 0, 64 at most.
constexpr unsigned bit_width(std::uint64_t value) {
  return static_cast<unsigned>(std::bit_width(value));
}

/// Bytes of `count` values of `width` bits, padded to 8.
constexpr std::size_t packed_bytes(std::size_t count, unsigned width) {
  return (count * width + 63) / 64 * 8;
}

/// Appends values packed from the least significant bit up. Requires: each fits `width` ≤ 64.
inline void pack_bits(std::string& out, std::span<const std::uint64_t> values, unsigned width) {
  std::uint64_t word = 0;
  unsigned used = 0;
  for (const std::uint64_t value : values) {
    word |= value << used;
    used += width;
    if (used < 64) continue;
    base::put(out, word);
    used -= 64;
    word = used == 0 ? 0 : value >> (width - used);
  }
  if (used > 0) base::put(out, word);
}

/// Calls take(value) for each of `count` values. Requires: packed_bytes(count, width) bytes.
template <class Take>
void unpack_bits(base::ByteView bytes, std::size_t count, unsigned width, Take take) {
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  std::size_t bit = 0;
  for (std::size_t i = 0; i < count; ++i, bit += width) {
    const unsigned shift = bit % 64;
    std::uint64_t value = 0;
    if (width > 0) {
      value = base::get<std::uint64_t>(bytes, bit / 64 * 8) >> shift;
      if (shift + width > 64) {
        value |= base::get<std::uint64_t>(bytes, bit / 64 * 8 + 8) << (64 - shift);
      }
    }
    take(value & mask);
  }
}

}  // namespace infiniedge::record
