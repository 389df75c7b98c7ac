// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.hpp"

#include <array>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace infiniedge::base {
namespace {

#if defined(__SSE4_2__)
std::uint64_t step8(std::uint64_t crc, std::uint64_t word) { return _mm_crc32_u64(crc, word); }
std::uint32_t step1(std::uint32_t crc, std::uint8_t byte) { return _mm_crc32_u8(crc, byte); }
#elif defined(__ARM_FEATURE_CRC32)
std::uint64_t step8(std::uint64_t crc, std::uint64_t word) {
  return __crc32cd(static_cast<std::uint32_t>(crc), word);
}
std::uint32_t step1(std::uint32_t crc, std::uint8_t byte) { return __crc32cb(crc, byte); }
#else
constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82F63B78U : 0);
    table[i] = value;
  }
  return table;
}();
std::uint32_t step1(std::uint32_t crc, std::uint8_t byte) {
  return (crc >> 8) ^ kTable[(crc ^ byte) & 0xFF];
}
std::uint64_t step8(std::uint64_t crc, std::uint64_t word) {
  for (int i = 0; i < 8; ++i) {
    crc = step1(static_cast<std::uint32_t>(crc), static_cast<std::uint8_t>(word >> (8 * i)));
  }
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) crc = step8(crc, get<std::uint64_t>(bytes, i));
  auto tail = static_cast<std::uint32_t>(crc);
  for (; i < bytes.size(); ++i) tail = step1(tail, static_cast<std::uint8_t>(bytes[i]));
  return ~tail;
}

}  // namespace infiniedge::base
