// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "api/inference/call.hpp"

namespace infiniedge::api::inference {

Result<void> hold_shared(Call& call, SharedMemory& memory, std::size_t limit) {
  std::size_t left = limit;
  for (auto& input : call.shared_inputs) {
    auto object = memory.use(input.slice);
    if (!object) return std::move(object).error();
    if (input.slice.byte_size > left) {
      return Error{Code::Invalid,
                   fmt::format("the inputs in shared memory have more than {} bytes", limit)};
    }
    left -= input.slice.byte_size;
    input.object = std::move(*object);
  }
  for (auto& output : call.outputs) {
    if (!output.shared) continue;
    auto object = memory.use(*output.shared);
    if (!object) return std::move(object).error();
    output.object = std::move(*object);
  }
  return {};
}

Result<void> copy_shared(Call& call) {
  for (auto& input : call.shared_inputs) {
    auto bytes = input.object->read(input.slice);
    if (!bytes) return std::move(bytes).error();
    auto& tensor = call.request.inputs[input.at];
    tensor.data = base::as_bytes(**bytes);
    tensor.owner = std::move(*bytes);
  }
  return {};
}

Result<void> write_to_region(const OutputWish& wish, const Tensor& output) {
  const auto size = output.data.size();
  if (size > wish.shared->byte_size) {
    return Error{Code::Invalid,
                 fmt::format("shared memory size specified with the request for output '{}' ({} "
                             "bytes) should be at least {} bytes to hold the results",
                             wish.name, wish.shared->byte_size, size)};
  }
  return wish.object->write(*wish.shared, output.data);
}

}  // namespace infiniedge::api::inference
