// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "api/inference/call.hpp"

namespace {

infiniedge::model::ModelConfig config() {
  infiniedge::model::ModelConfig out{.name = "m", .max_batch_size = 8};
  out.inputs.push_back({.name = "x", .type = infiniedge::DataType::Fp32, .dims = {-1}});
  out.outputs.push_back({.name = "y", .type = infiniedge::DataType::Fp32, .dims = {-1}});
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kConfig = config();
  static infiniedge::api::inference::CallReader reader;
  auto body = std::make_shared<const std::string>(reinterpret_cast<const char*>(data), size);
  auto call = reader.read(kConfig, std::move(body), "");
  if (call) {
    (void)infiniedge::model::check_request(kConfig, std::move(call->request.inputs),
                                           call->request.outputs);
  }
  return 0;
}
