// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "api/inference/grpc/infer_read.hpp"

/// A ModelInferRequest as any client may send it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message =
      std::make_shared<const std::string>(reinterpret_cast<const char*>(data), size);
  (void)infiniedge::api::inference::grpc::read_infer(message);
  return 0;
}
