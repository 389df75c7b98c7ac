// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "device/options.hpp"
#include "device/value.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::device {

/// Where a value stands in a message body: the whole text, at a JSON pointer (RFC 6901), or at
/// a byte offset.
struct Extract {
  enum class Form { Text, Json, Binary };

  Form form = Form::Text;
  std::string pointer;
  std::size_t offset = 0;
  std::string type;  ///< Binary: as Point::type, also int8 and uint8; bytes and string: the rest.
  bool big_endian = false;

  /// Reads `json`, `binary.offset`, `binary.type` and `binary.order`; nothing set: Text.
  static Extract value_of(OptionReader& options, const Point& point);
  /// Reads `time` (a JSON pointer) and `time.offset` (i64 µs); nothing if neither is set.
  static std::optional<Extract> time_of(OptionReader& options);
};

// The options that Extract reads, for a connector's Spec.
inline constexpr std::array<std::string_view, 13> kBinaryTypes{
    "",       "bool",  "int8",   "uint8",   "int16",   "uint16", "int32",
    "uint32", "int64", "uint64", "float32", "float64", "bytes"};
inline constexpr std::array<std::string_view, 2> kOrders{"little", "big"};
inline constexpr std::array<std::string_view, 3> kPointerAliases{"pointer", "path", "jsonPath"};

inline constexpr Option kJsonOption{
    .name = "json",
    .doc =
        "JSON pointer (RFC 6901) to the value in the payload, e.g. /sensor/0/temp. Not set: "
        "the whole payload is the value as text.",
    .aliases = kPointerAliases};
inline constexpr Option kBinaryOffsetOption{.name = "binary.offset",
                                            .type = OptionType::Integer,
                                            .doc = "Byte offset of the value in a binary payload.",
                                            .min = 0,
                                            .max = 268435455};
inline constexpr Option kBinaryTypeOption{
    .name = "binary.type",
    .type = OptionType::Enum,
    .doc = "Type at binary.offset; bytes is the rest of the payload. Not set: the point's type.",
    .values = kBinaryTypes};
inline constexpr Option kBinaryOrderOption{.name = "binary.order",
                                           .type = OptionType::Enum,
                                           .doc = "Byte order at binary.offset.",
                                           .fallback = "little",
                                           .values = kOrders};
inline constexpr Option kTimeOption{
    .name = "time",
    .doc =
        "JSON pointer to the source time in the payload: RFC 3339, or seconds, milliseconds "
        "or microseconds since the epoch. Not set: time of arrival."};
inline constexpr Option kTimeOffsetOption{
    .name = "time.offset",
    .type = OptionType::Integer,
    .doc =
        "Byte offset of the source time in a binary payload: int64, little-endian, "
        "microseconds since the epoch.",
    .min = 0,
    .max = 268435455};

/// One message body; JSON is parsed at most once, whole, so that a broken tail is noticed.
///
/// Thread: one at a time. A reader is kept by a connector: it reuses its buffers.
/// Errors: Invalid, naming the byte or the pointer. Bytes are hostile.
class PayloadReader {
 public:
  PayloadReader();
  ~PayloadReader();

  /// `body` must stay until the next begin().
  void begin(std::string_view body);
  Result<Value> read(const Extract& extract);

 private:
  struct Json;
  Result<Value> read_json(const std::string& pointer);
  Result<Value> read_binary(const Extract& extract) const;
  const Result<void>& parse();

  std::unique_ptr<Json> json_;
  std::string_view body_;
  std::optional<Result<void>> parsed_;
};

}  // namespace infiniedge::device
