// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "model/config_pbtxt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  infiniedge::model::ModelConfig config{.name = "m"};
  std::vector<std::string> warnings;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (infiniedge::model::read_config_json(text, "config", config, warnings)) {
    // What we write we must be able to read.
    infiniedge::model::ModelConfig again{.name = "m"};
    if (!infiniedge::model::read_config_json(to_json(config), "config", again, warnings))
      __builtin_trap();
  }
  return 0;
}
