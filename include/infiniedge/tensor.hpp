// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge {

/// Element types of the Open Inference Protocol.
enum class DataType : std::uint8_t {
  Bool,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Int8,
  Int16,
  Int32,
  Int64,
  Fp16,
  Fp32,
  Fp64,
  Bytes,
  Bf16
};

constexpr std::string_view to_string(DataType type) {
  constexpr std::string_view kNames[] = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64",
                                         "INT8", "INT16", "INT32",  "INT64",  "FP16",
                                         "FP32", "FP64",  "BYTES",  "BF16"};
  return kNames[static_cast<int>(type)];
}

constexpr std::optional<DataType> data_type_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DataType::Bf16); ++i) {
    if (to_string(static_cast<DataType>(i)) == name) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

/// Bytes of one element; 0 for Bytes, whose elements vary.
constexpr std::size_t element_size(DataType type) {
  constexpr std::size_t kSizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 0, 2};
  return kSizes[static_cast<int>(type)];
}

/// A named, dense, row-major, little-endian tensor. BYTES elements are u32 length + bytes.
/// `data` may point into a request body: `owner` keeps it alive. A value; copying shares bytes.
struct Tensor {
  std::string name;
  DataType type = DataType::Fp32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;

  std::int64_t elements() const {
    std::int64_t n = 1;
    for (const auto d : shape) n *= d;
    return n;
  }
};

/// Shape of a model's input or output; −1 is a dimension that varies.
struct TensorSpec {
  std::string name;
  DataType type = DataType::Fp32;
  std::vector<std::int64_t> shape;
  bool operator==(const TensorSpec&) const = default;
};

}  // namespace infiniedge
