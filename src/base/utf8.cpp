// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <fmt/format.h>

namespace infiniedge::base {
namespace {

std::size_t announced_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  const auto n = announced_length(lead);
  if (n == 0 || n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = n > 1 ? static_cast<unsigned char>(text[1]) : 0;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : n;
}

std::optional<InvalidText> find_invalid_text(std::string_view text) {
  InvalidText at;
  for (std::size_t i = 0; i < text.size();) {
    const auto n = utf8_length(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (n == 0) {
      at.message = fmt::format("byte 0x{:02x} is not UTF-8: save the file as UTF-8", byte);
      return at;
    }
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) {
      at.message = fmt::format("control character 0x{:02x} is not allowed", byte);
      return at;
    }
    i += n;
    ++at.column;
    if (byte == '\n') {
      ++at.line;
      at.column = 1;
    }
  }
  return std::nullopt;
}

}  // namespace infiniedge::base
