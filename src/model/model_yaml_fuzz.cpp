// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/testing/yaml_leak.hpp"
#include "model/model_yaml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  infiniedge::model::ModelConfig config{.name = "m"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)infiniedge::model::read_model_yaml(text, "file", config);
  return 0;
}
