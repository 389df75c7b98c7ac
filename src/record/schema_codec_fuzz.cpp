// SPDX-License-Identifier: Apache-2.0
// Any bytes as a definition or gap: Corrupt, or a value that survives another round.
#include "base/check.hpp"
#include "record/schema_codec.hpp"

using namespace infiniedge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes = std::as_bytes(std::span(data, size));
  if (auto definition = record::decode_definition(bytes)) {
    const std::string again = record::encode_definition(*definition);
    INFINIEDGE_CHECK(record::decode_definition(base::as_bytes(again)).has_value());
  } else {
    INFINIEDGE_CHECK(definition.error().code() == Code::Corrupt);
  }
  if (auto gap = record::decode_gap(bytes)) {
    const std::string again = record::encode_gap(*gap);
    auto back = record::decode_gap(base::as_bytes(again));
    INFINIEDGE_CHECK(back.has_value() && *back == *gap);
  }
  return 0;
}
