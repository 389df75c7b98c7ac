// SPDX-License-Identifier: Apache-2.0
#include "runtime/entropy.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace infiniedge::runtime {

void SystemEntropy::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const auto n = getrandom(out.data(), std::min<std::size_t>(out.size(), 256), 0);
    INFINIEDGE_CHECK(n > 0);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

void SeededEntropy::fill(std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    const std::uint64_t word = state_ * 0x2545F4914F6CDD1DULL;
    std::memcpy(out.data() + i, &word, std::min<std::size_t>(8, out.size() - i));
  }
}

}  // namespace infiniedge::runtime
