// SPDX-License-Identifier: Apache-2.0
// Input: form byte, offset byte, pointer up to the first newline, then the payload.
#include <array>
#include <cstdint>
#include <string_view>

#include "device/payload.hpp"
#include "device/timestamp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using infiniedge::device::Extract;
  static constexpr std::array<std::string_view, 13> kTypes{
      "bool",  "int8",   "uint8",   "int16",   "uint16", "int32", "uint32",
      "int64", "uint64", "float32", "float64", "bytes",  "string"};
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  Extract extract;
  extract.form = static_cast<Extract::Form>(data[0] % 3);
  extract.type = kTypes[(data[0] / 6) % kTypes.size()];
  extract.big_endian = (data[0] / 3) % 2 == 1;
  extract.offset = data[1];
  extract.pointer = line;

  infiniedge::device::PayloadReader reader;
  reader.begin(rest);
  const auto value = reader.read(extract);
  if (!value) return 0;
  (void)infiniedge::device::time_from(*value);
  for (const auto type : kTypes) {
    infiniedge::Point point;
    point.type = type;
    const auto cell = infiniedge::device::convert(point, {*value});
    (void)infiniedge::device::to_json(cell.value, type);
  }
  return 0;
}
