// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/testing/yaml_leak.hpp"
#include "base/yaml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto parsed = infiniedge::base::yaml::parse(text, "fuzz");
  for (const auto& diagnostic : parsed.diagnostics) infiniedge::base::format(diagnostic, text);
  return 0;
}
