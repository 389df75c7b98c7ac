// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>
#include <string>

#include "infiniedge/result.hpp"

namespace infiniedge::device::replay {

/// What the head of a WAV file says: PCM of 16 bits.
struct WavFormat {
  std::uint16_t channels = 0;
  std::uint32_t rate = 0;   ///< Frames a second.
  std::uint32_t bytes = 0;  ///< Of samples, as claimed; a recorder that was cut off claims more.
};

/// Reads up to the first sample. `file` stands in messages.
/// Errors: Invalid (no WAV file), Unsupported (another coding). Bytes are hostile.
Result<WavFormat> read_wav_format(std::istream& input, const std::string& file);

}  // namespace infiniedge::device::replay
