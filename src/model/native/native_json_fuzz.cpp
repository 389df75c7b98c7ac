// SPDX-License-Identifier: Apache-2.0
// A native model from outside: whatever is accepted also computes.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/native/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::model;
  const auto model = native::read_model({reinterpret_cast<const char*>(data), size});
  if (!model) return 0;
  auto scratch = model->make_scratch();
  std::vector<float> out(model->values);
  model->evaluate(scratch, out.data());
  return 0;
}
