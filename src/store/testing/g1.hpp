// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "infiniedge/batch.hpp"

namespace infiniedge::store::testing {

/// G1, the workload of every size and speed figure of the store: 100 devices in turn, one row a
/// second each, five decimals at 0.01, each a walk of llround(20·N(0,1)) steps; xorshift64* seed
/// 42, Box-Muller.
class G1 {
 public:
  static constexpr int kDevices = 100, kFields = 5;
  static constexpr std::int64_t kStart = 1'767'225'600'000'000;  ///< 2026-01-01, in µs.

  explicit G1(std::uint64_t seed = 42) : state_(seed) {
    for (auto& walk : values_) walk.fill(100'00);
  }

  static SchemaPtr schema(std::string stream = "g1") {
    auto schema = std::make_shared<Schema>();
    schema->stream = std::move(stream);
    for (int i = 0; i < kFields; ++i) {
      schema->fields.push_back(Field{.id = static_cast<std::uint16_t>(kFirstField + i),
                                     .name = "v" + std::to_string(i),
                                     .type = Type::Decimal,
                                     .resolution = Resolution{1, 2},
                                     .min = -1e6,
                                     .max = 1e6});
    }
    return schema;
  }

  /// The next `rows` rows, `seq` filled.
  Batch next(const SchemaPtr& schema, std::size_t rows) {
    Batch batch;
    batch.schema = schema;
    for (int d = 0; d < kDevices; ++d) batch.devices.push_back("device-" + std::to_string(d));
    for (int f = 0; f < kFields; ++f) batch.columns.push_back({std::vector<std::int64_t>{}});
    for (std::size_t i = 0; i < rows; ++i, ++count_) {
      const auto device = static_cast<std::uint32_t>(count_ % kDevices);
      batch.device.push_back(device);
      batch.ts.push_back(kStart + static_cast<std::int64_t>(count_ / kDevices) * 1'000'000);
      batch.quality.push_back(Quality::Good);
      batch.seq.push_back(count_ + 1);
      for (int f = 0; f < kFields; ++f) {
        auto& value = values_[device][static_cast<std::size_t>(f)];
        value += std::llround(20 * normal());
        batch.columns[static_cast<std::size_t>(f)].ints().push_back(value);
      }
    }
    return batch;
  }

 private:
  double uniform() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<double>((state_ * 0x2545F4914F6CDD1DULL) >> 11) * 0x1.0p-53;
  }
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  std::uint64_t state_;
  std::uint64_t count_ = 0;
  double spare_ = 0;
  bool has_spare_ = false;
  std::array<std::array<std::int64_t, kFields>, kDevices> values_{};
};

}  // namespace infiniedge::store::testing
