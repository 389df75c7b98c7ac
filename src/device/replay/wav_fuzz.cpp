// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>

#include "device/replay/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::device::replay;
  auto input =
      std::make_unique<std::istringstream>(std::string(reinterpret_cast<const char*>(data), size));
  auto reader = read_wav(std::move(input), "input", ReadOptions{});
  if (!reader) return 0;
  for (int rows = 0; rows < 10'000; ++rows) {
    const auto record = (*reader)->next();
    if (!record || !*record) break;
    if ((*record)->fields.size() != (*reader)->columns().size()) __builtin_trap();
  }
  return 0;
}
