// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference::grpc {

/// How the content of a protobuf field is written (protobuf's encoding guide, "wire types").
enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field of a message. Views point into the message.
struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;   ///< Varint, Fixed64, Fixed32.
  std::string_view bytes{};  ///< Bytes.

  bool flag() const { return value != 0; }
  std::int64_t integer() const { return static_cast<std::int64_t>(value); }
};

/// Reads the fields of a message one after the other; nothing is copied, nothing grows.
///
/// Errors: Invalid for bytes that are no message. Groups, which proto3 does not have, are none.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : left_(message) {}
  /// Nothing: the message is over.
  Result<std::optional<Field>> next();

 private:
  std::string_view left_;
};

/// Calls `read(field)`, which returns Result<void>, for every field of `message`.
template <class Read>
Result<void> each_field(std::string_view message, Read read) {
  FieldReader reader(message);
  while (true) {
    auto field = reader.next();
    if (!field) return std::move(field).error();
    if (!*field) return {};
    INFINIEDGE_TRY(read(**field));
  }
}

/// Takes a varint off the front. Nothing: it is cut short or longer than ten bytes.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);

/// A field of type string. Errors: Invalid when it is not UTF-8, or not of this wire type.
Result<std::string> read_text(const Field& field, std::string_view what);

void put_varint(std::string& out, std::uint64_t value);
void put_tag(std::string& out, std::uint32_t number, WireType type);
void put_integer(std::string& out, std::uint32_t number, std::uint64_t value);
void put_bytes(std::string& out, std::uint32_t number, std::string_view bytes);

/// Bytes that put_varint writes.
std::size_t varint_size(std::uint64_t value);

}  // namespace infiniedge::api::inference::grpc
