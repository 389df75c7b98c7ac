// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "model/config_pbtxt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  infiniedge::model::ModelConfig config{.name = "m"};
  std::vector<std::string> warnings;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)infiniedge::model::read_config_pbtxt(text, "file", config, warnings);
  return 0;
}
