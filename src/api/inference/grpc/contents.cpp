// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "api/inference/grpc/infer_read.hpp"
#include "api/inference/grpc/wire.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

/// Small numbers take a byte in a message and up to eight in a tensor.
constexpr std::size_t kMaxBytes = 64U << 20;

constexpr std::string_view kNames[] = {"",
                                       "bool_contents",
                                       "int_contents",
                                       "int64_contents",
                                       "uint_contents",
                                       "uint64_contents",
                                       "fp32_contents",
                                       "fp64_contents",
                                       "bytes_contents"};

/// The member of InferTensorContents that carries a type; 0: none does.
std::uint32_t member_of(DataType type) {
  switch (type) {
    case DataType::Bool:
      return 1;
    case DataType::Int8:
    case DataType::Int16:
    case DataType::Int32:
      return 2;
    case DataType::Int64:
      return 3;
    case DataType::Uint8:
    case DataType::Uint16:
    case DataType::Uint32:
      return 4;
    case DataType::Uint64:
      return 5;
    case DataType::Fp32:
      return 6;
    case DataType::Fp64:
      return 7;
    case DataType::Bytes:
      return 8;
    case DataType::Fp16:
    case DataType::Bf16:
      return 0;
  }
  return 0;
}

/// How a single element is written, outside of a packed field.
WireType type_of(DataType type) {
  if (type == DataType::Fp32) return WireType::Fixed32;
  return type == DataType::Fp64 ? WireType::Fixed64 : WireType::Varint;
}

template <class Narrow, class Wide>
bool put_narrow(std::string& out, std::uint64_t raw) {
  const auto value = static_cast<Wide>(raw);
  if (value < std::numeric_limits<Narrow>::min() || value > std::numeric_limits<Narrow>::max()) {
    return false;
  }
  base::put(out, static_cast<Narrow>(value));
  return true;
}

/// False: the value does not fit the type.
bool put_element(std::string& out, DataType type, std::uint64_t raw) {
  switch (type) {
    case DataType::Bool:
      out.push_back(raw != 0 ? 1 : 0);
      return true;
    case DataType::Int8:
      return put_narrow<std::int8_t, std::int32_t>(out, raw);
    case DataType::Int16:
      return put_narrow<std::int16_t, std::int32_t>(out, raw);
    case DataType::Uint8:
      return put_narrow<std::uint8_t, std::uint32_t>(out, raw);
    case DataType::Uint16:
      return put_narrow<std::uint16_t, std::uint32_t>(out, raw);
    case DataType::Int32:
    case DataType::Uint32:
    case DataType::Fp32:
      base::put(out, static_cast<std::uint32_t>(raw));
      return true;
    default:
      base::put(out, raw);
      return true;
  }
}

/// Collects elements until there are as many as the shape has.
class Elements {
 public:
  Elements(const Tensor& tensor, std::size_t count) : tensor_(tensor), left_(count) {
    bytes_.reserve(count * element_size(tensor.type));
  }

  Result<void> add(const Field& field) {
    if (tensor_.type == DataType::Bytes) return add_bytes(field);
    const auto single = type_of(tensor_.type);
    if (field.type == single) return add_scalar(field.value);
    if (field.type != WireType::Bytes) return wrong("the values have another wire type");
    auto packed = field.bytes;
    if (single != WireType::Varint) return add_fixed(packed, element_size(tensor_.type));
    while (!packed.empty()) {
      const auto value = take_varint(packed);
      if (!value) return wrong("a packed value is cut short");
      INFINIEDGE_TRY(add_scalar(*value));
    }
    return {};
  }

  Result<std::string> take() {
    if (left_ > 0) return wrong(fmt::format("{} elements are missing", left_));
    return std::move(bytes_);
  }

 private:
  Error wrong(std::string_view what) const {
    return {Code::Invalid, fmt::format("input '{}': contents: {}", tensor_.name, what)};
  }
  Error too_many() const { return wrong("more elements than the shape has"); }

  Result<void> add_scalar(std::uint64_t value) {
    if (left_ == 0) return too_many();
    if (!put_element(bytes_, tensor_.type, value)) {
      return wrong(fmt::format("a value does not fit {}", to_string(tensor_.type)));
    }
    --left_;
    return {};
  }
  Result<void> add_fixed(std::string_view packed, std::size_t width) {
    if (packed.size() % width != 0) return wrong("a packed value is cut short");
    if (packed.size() / width > left_) return too_many();
    bytes_.append(packed);
    left_ -= packed.size() / width;
    return {};
  }
  Result<void> add_bytes(const Field& field) {
    if (field.type != WireType::Bytes) return wrong("bytes_contents must be bytes");
    if (left_ == 0) return too_many();
    base::put(bytes_, static_cast<std::uint32_t>(field.bytes.size()));
    bytes_.append(field.bytes);
    --left_;
    return {};
  }

  const Tensor& tensor_;
  std::size_t left_;
  std::string bytes_;
};

}  // namespace

Result<void> read_contents(std::string_view contents, Tensor& tensor) {
  const auto member = member_of(tensor.type);
  if (member == 0) {
    return Error{Code::Invalid, fmt::format("input '{}' is {}, which only raw_input_contents carry",
                                            tensor.name, to_string(tensor.type))};
  }
  const auto count = model::element_count(tensor.shape);
  // An element takes a byte at least, so that a shape alone costs no memory.
  if (!count || static_cast<std::uint64_t>(*count) > contents.size()) {
    return Error{
        Code::Invalid,
        fmt::format("input '{}': contents hold fewer elements than its shape has", tensor.name)};
  }
  if (static_cast<std::size_t>(*count) * element_size(tensor.type) > kMaxBytes) {
    return Error{Code::Invalid, fmt::format("input '{}': contents of more than {} bytes; send "
                                            "raw_input_contents",
                                            tensor.name, kMaxBytes)};
  }
  Elements elements(tensor, static_cast<std::size_t>(*count));
  INFINIEDGE_TRY(each_field(contents, [&](const Field& field) -> Result<void> {
    if (field.number == member) return elements.add(field);
    if (field.number == 0 || field.number >= std::size(kNames)) return {};
    return Error{Code::Invalid,
                 fmt::format("input '{}' is {}: its elements belong into {}, not {}", tensor.name,
                             to_string(tensor.type), kNames[member], kNames[field.number])};
  }));
  auto bytes = elements.take();
  if (!bytes) return std::move(bytes).error();
  auto kept = std::make_shared<const std::string>(std::move(*bytes));
  tensor.data = base::as_bytes(*kept);
  tensor.owner = std::move(kept);
  return {};
}

}  // namespace infiniedge::api::inference::grpc
