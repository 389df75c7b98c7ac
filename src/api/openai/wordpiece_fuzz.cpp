// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "api/openai/embeddings.hpp"
#include "api/openai/wordpiece.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::api::openai;
  static const auto kWords =
      WordPiece::from("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##a\n##b\nthe\n##s\n,\n##é\ne\n").value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto token : kWords->encode(text)) {
    if (token < 0 || token >= static_cast<std::int64_t>(kWords->size())) __builtin_trap();
  }
  std::string param;
  (void)EmbeddingRequest::read(text, param);
  return 0;
}
