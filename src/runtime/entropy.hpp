// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace infiniedge::runtime {

/// Random bytes. Tests use a seeded one, so that a failure can be run again.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(u64() >> 11) * 0x1.0p-53; }
};

/// getrandom(2).
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out) override;
};

/// xorshift64*: fast, reproducible, not secret. The generator of every simulation.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed != 0 ? seed : 1) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::uint64_t state_;
};

}  // namespace infiniedge::runtime
