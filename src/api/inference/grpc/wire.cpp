// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/wire.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/utf8.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

constexpr std::uint64_t kMaxNumber = (1U << 29) - 1;

Error cut_short() { return {Code::Invalid, "the protobuf message is cut short"}; }

std::optional<std::uint64_t> take_fixed(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(size);
  return value;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length =
        static_cast<unsigned char>(text.front()) < 0x80 ? 1 : base::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    bytes.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

Result<std::optional<Field>> FieldReader::next() {
  if (left_.empty()) return std::optional<Field>{};
  const auto tag = take_varint(left_);
  if (!tag) return cut_short();
  const auto number = *tag >> 3;
  const auto type = static_cast<int>(*tag & 7);
  if (number == 0 || number > kMaxNumber) {
    return Error{Code::Invalid, fmt::format("protobuf field number {} is impossible", number)};
  }
  Field field{.number = static_cast<std::uint32_t>(number), .type = static_cast<WireType>(type)};
  std::optional<std::uint64_t> value;
  switch (type) {
    case 0:
    case 2:
      value = take_varint(left_);
      break;
    case 1:
    case 5:
      value = take_fixed(left_, type == 1 ? 8 : 4);
      break;
    default:
      return Error{Code::Invalid, fmt::format("protobuf field {} has wire type {}, which proto3 "
                                              "does not know",
                                              number, type)};
  }
  if (!value) return cut_short();
  if (type != 2) {
    field.value = *value;
    return std::optional(field);
  }
  if (*value > left_.size()) return cut_short();
  field.bytes = left_.substr(0, static_cast<std::size_t>(*value));
  left_.remove_prefix(field.bytes.size());
  return std::optional(field);
}

Result<std::string> read_text(const Field& field, std::string_view what) {
  if (field.type != WireType::Bytes || !is_utf8(field.bytes)) {
    return Error{Code::Invalid, fmt::format("{} is not UTF-8 text", what)};
  }
  return std::string{field.bytes};
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_tag(std::string& out, std::uint32_t number, WireType type) {
  put_varint(out, static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(type));
}

void put_integer(std::string& out, std::uint32_t number, std::uint64_t value) {
  put_tag(out, number, WireType::Varint);
  put_varint(out, value);
}

void put_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  put_tag(out, number, WireType::Bytes);
  put_varint(out, bytes.size());
  out.append(bytes);
}

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}

}  // namespace infiniedge::api::inference::grpc
