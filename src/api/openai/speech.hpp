// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::api::openai {

struct Word {
  std::string text;
  double start = 0, end = 0;  ///< Seconds.
};

/// Speech to words.
///
/// Thread:  any worker, one call at a time.
/// Owner:   Transcriptions.
/// Errors:  Unavailable when the recogniser or its model is not installed; Internal.
class Recogniser {
 public:
  /// Loads the model for a language: "en".
  static Result<std::unique_ptr<Recogniser>> make(std::string_view language);
  virtual ~Recogniser() = default;
  /// `samples`: one channel of 16 bits at kRate.
  virtual Result<std::vector<Word>> recognise(const std::vector<std::int16_t>& samples) = 0;

  static constexpr int kRate = 16'000;
  /// What GET /v1/models calls it; empty if this build has none.
  static std::string_view name();
};

/// The first channel of a WAV file (PCM, 16 bits) at Recogniser::kRate.
/// Errors: Invalid, Unsupported. Bytes are hostile.
Result<std::vector<std::int16_t>> read_speech(std::string_view wav);

}  // namespace infiniedge::api::openai
