// SPDX-License-Identifier: Apache-2.0
#include "device/replay/wav_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::uint16_t kPcm = 1;
constexpr std::uint16_t kExtensible = 0xFFFE;  ///< The format stands in the sub-format.

Error fault(const std::string& file, std::string_view what) {
  return {Code::Invalid, fmt::format("{}: {}", file, what)};
}

bool read(std::istream& input, char* out, std::size_t n) {
  input.read(out, static_cast<std::streamsize>(n));
  return static_cast<std::size_t>(input.gcount()) == n;
}

template <class Bytes>
std::string_view text(const Bytes& bytes, std::size_t offset) {
  return {bytes.data() + offset, 4};
}

template <class T, class Bytes>
T number(const Bytes& bytes, std::size_t offset) {
  return base::get<T>(base::as_bytes({bytes.data(), bytes.size()}), offset);
}

Result<void> read_chunk(std::istream& input, const std::string& file, std::uint32_t size,
                        WavFormat& out) {
  std::array<char, 40> bytes{};
  const auto known = std::min<std::size_t>(size, bytes.size());
  if (size < 16 || !read(input, bytes.data(), known)) {
    return fault(file, "has a format chunk that is cut off");
  }
  input.ignore(static_cast<std::streamsize>(size - known) + size % 2);
  auto format = number<std::uint16_t>(bytes, 0);
  if (format == kExtensible) format = number<std::uint16_t>(bytes, 24);
  out.channels = number<std::uint16_t>(bytes, 2);
  out.rate = number<std::uint32_t>(bytes, 4);
  const auto bits = number<std::uint16_t>(bytes, 14);
  if (format != kPcm || bits != 16) {
    return Error{Code::Unsupported,
                 fmt::format("{}: holds format {} with {} bits; PCM with 16 bits is supported",
                             file, format, bits)};
  }
  if (out.channels == 0 || out.channels > 64 || out.rate == 0 || out.rate > 1'000'000) {
    return fault(file, fmt::format("claims {} channels at {} Hz", out.channels, out.rate));
  }
  return {};
}

}  // namespace

Result<WavFormat> read_wav_format(std::istream& input, const std::string& file) {
  std::array<char, 12> riff;
  if (!read(input, riff.data(), riff.size()) || text(riff, 0) != "RIFF" ||
      text(riff, 8) != "WAVE") {
    return fault(file, "is not a WAV file: it does not begin with RIFF … WAVE");
  }
  WavFormat out;
  while (true) {
    std::array<char, 8> head;
    if (!read(input, head.data(), head.size())) return fault(file, "ends before its data chunk");
    const auto size = number<std::uint32_t>(head, 4);
    if (text(head, 0) == "data") {
      if (out.channels == 0) return fault(file, "has its data chunk before its format");
      out.bytes = size;
      return out;
    }
    if (text(head, 0) == "fmt ") {
      INFINIEDGE_TRY(read_chunk(input, file, size, out));
    } else {
      input.ignore(static_cast<std::streamsize>(size) + size % 2);
    }
  }
}

}  // namespace infiniedge::device::replay
