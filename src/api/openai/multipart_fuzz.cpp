// SPDX-License-Identifier: Apache-2.0
// A form and the sound file in it. The first line is the content type.
#include <cstdint>

#include "api/openai/multipart.hpp"
#include "api/openai/speech.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::api::openai;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto type = text.substr(0, text.find('\n'));
  const auto body = text.substr(std::min(size, type.size() + 1));
  const auto form = read_form(type, body);
  if (!form) return 0;
  for (const auto& part : *form) {
    const bool inside = part.content.data() >= body.data() &&
                        part.content.data() + part.content.size() <= body.data() + body.size();
    if (!inside) __builtin_trap();
    (void)read_speech(part.content);
  }
  return 0;
}
