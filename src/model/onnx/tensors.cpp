// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/tensors.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "base/bytes.hpp"

namespace infiniedge::model::onnx {
namespace {

using E = OrtElement;
constexpr E kElements[] = {E::Bool,  E::Uint8, E::Uint16, E::Uint32, E::Uint64, E::Int8,   E::Int16,
                           E::Int32, E::Int64, E::Fp16,   E::Fp32,   E::Fp64,   E::String, E::Bf16};

bool aligned(const Tensor& tensor) {
  return reinterpret_cast<std::uintptr_t>(tensor.data.data()) % element_size(tensor.type) == 0;
}

/// Element by element and with its length: a C string would end at the first zero byte.
Result<void> fill_strings(const Library& library, const Tensor& tensor, OrtValue* value) {
  const auto count = static_cast<std::size_t>(tensor.elements());
  base::Reader reader(tensor.data);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t length = 0;
    base::ByteView bytes;
    if (!reader.read(length) || !reader.read_bytes(length, bytes)) {
      return Error{Code::Invalid,
                   fmt::format("input '{}': element {} is cut short", tensor.name, i)};
    }
    char* place = nullptr;
    INFINIEDGE_TRY(
        library.call<GetResizedStringTensorElementBuffer>(value, i, bytes.size(), &place));
    if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  }
  if (reader.left() == 0) return {};
  return Error{Code::Invalid, fmt::format("input '{}': {} bytes behind its {} elements",
                                          tensor.name, reader.left(), count)};
}

Result<void> string_value(const Library& library, const Tensor& tensor, Value& out) {
  INFINIEDGE_TRY(library.call<CreateTensorAsOrtValue>(library.allocator(), tensor.shape.data(),
                                                      tensor.shape.size(),
                                                      static_cast<int>(E::String), out.out()));
  return fill_strings(library, tensor, out.get());
}

Result<void> take_strings(const Library& library, const OrtValue* value, std::size_t count,
                          Tensor& tensor) {
  std::size_t length = 0;
  INFINIEDGE_TRY(library.call<GetStringTensorDataLength>(value, &length));
  std::string content(length, '\0');
  std::vector<std::size_t> offsets(count);
  INFINIEDGE_TRY(library.call<GetStringTensorContent>(value, static_cast<void*>(content.data()),
                                                      length, offsets.data(), count));
  auto packed = std::make_shared<std::string>();
  packed->reserve(length + 4 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = i + 1 < count ? offsets[i + 1] : length;
    base::put(*packed, static_cast<std::uint32_t>(end - offsets[i]));
    packed->append(content, offsets[i], end - offsets[i]);
  }
  tensor.data = base::as_bytes(*packed);
  tensor.owner = std::move(packed);
  return {};
}

}  // namespace

std::optional<OrtElement> element_from(DataType type) { return kElements[static_cast<int>(type)]; }

std::optional<DataType> type_from(int element) {
  for (std::size_t i = 0; i < std::size(kElements); ++i) {
    if (static_cast<int>(kElements[i]) == element) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

Result<void> to_value(const Library& library, const Tensor& tensor,
                      std::shared_ptr<const void>& copy, Value& out) {
  if (tensor.type == DataType::Bytes) return string_value(library, tensor, out);
  const auto expected = static_cast<std::size_t>(tensor.elements()) * element_size(tensor.type);
  if (tensor.data.size() != expected) {
    return Error{Code::Invalid, fmt::format("input '{}' has {} bytes, its shape needs {}",
                                            tensor.name, tensor.data.size(), expected)};
  }
  const void* bytes = tensor.data.data();
  if (!aligned(tensor)) {
    auto block = std::make_shared<std::vector<std::uint64_t>>(expected / 8 + 1);
    std::memcpy(block->data(), bytes, expected);
    bytes = block->data();
    copy = std::move(block);
  }
  static std::uint64_t nothing = 0;  // An empty tensor still needs an address.
  void* address = expected == 0 ? &nothing : const_cast<void*>(bytes);
  return library.call<CreateTensorWithDataAsOrtValue>(
      library.memory(), address, expected, tensor.shape.data(), tensor.shape.size(),
      static_cast<int>(kElements[static_cast<int>(tensor.type)]), out.out());
}

Result<void> to_value(const Library& library, const OutputView& view, Value& out) {
  if (view.type == DataType::Bytes) {
    return Error{Code::Unsupported, "outputs of strings bring their own memory"};
  }
  static std::uint64_t nothing = 0;
  void* address = view.data.empty() ? static_cast<void*>(&nothing) : view.data.data();
  return library.call<CreateTensorWithDataAsOrtValue>(
      library.memory(), address, view.data.size(), view.shape.data(), view.shape.size(),
      static_cast<int>(kElements[static_cast<int>(view.type)]), out.out());
}

Result<Tensor> to_tensor(const LibraryPtr& library, std::string name, Value value) {
  Owned<OrtTensorTypeAndShapeInfo, ReleaseTensorInfo> info(*library);
  INFINIEDGE_TRY(
      library->call<GetTensorTypeAndShape>(static_cast<const OrtValue*>(value.get()), info.out()));
  const OrtTensorTypeAndShapeInfo* shape = info.get();
  int element = 0;
  std::size_t rank = 0;
  INFINIEDGE_TRY(library->call<GetTensorElementType>(shape, &element));
  INFINIEDGE_TRY(library->call<GetDimensionsCount>(shape, &rank));
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape.resize(rank);
  INFINIEDGE_TRY(library->call<GetDimensions>(shape, tensor.shape.data(), rank));
  const auto type = type_from(element);
  if (!type) {
    return Error{Code::Unsupported,
                 fmt::format("output '{}' has element type {}, which has no OIP name", tensor.name,
                             element)};
  }
  tensor.type = *type;
  const auto count = static_cast<std::size_t>(tensor.elements());
  if (*type == DataType::Bytes) {
    INFINIEDGE_TRY(take_strings(*library, value.get(), count, tensor));
    return tensor;
  }
  void* data = nullptr;
  INFINIEDGE_TRY(library->call<GetTensorMutableData>(value.get(), &data));
  tensor.data = {static_cast<const std::byte*>(data), count * element_size(*type)};
  struct Holder {
    LibraryPtr library;
    Value value;
  };
  tensor.owner = std::make_shared<Holder>(Holder{library, std::move(value)});
  return tensor;
}

}  // namespace infiniedge::model::onnx
