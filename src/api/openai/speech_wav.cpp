// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <samplerate.h>

#include <cstring>
#include <sstream>

#include "api/openai/speech.hpp"
#include "device/replay/wav_format.hpp"

namespace infiniedge::api::openai {
namespace {

constexpr std::size_t kShortest = 1600;   ///< Samples: what is shorter than 0.1 s is no word.
constexpr double kLongestSeconds = 1800;  ///< What 25 MiB hold at a rate that makes sense.
constexpr std::uint32_t kLowestRate = 8000, kHighestRate = 192'000;

/// The first of `channels` interleaved channels, from −1 to 1.
std::vector<float> first_channel(std::string_view pcm, std::size_t channels) {
  std::vector<float> out(pcm.size() / (2 * channels));
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int16_t sample = 0;
    std::memcpy(&sample, pcm.data() + i * 2 * channels, sizeof sample);
    out[i] = static_cast<float>(sample) / 32768.0F;
  }
  return out;
}

Result<std::vector<float>> resampled(const std::vector<float>& in, double ratio) {
  std::vector<float> out(static_cast<std::size_t>(static_cast<double>(in.size()) * ratio) + 1);
  SRC_DATA data{};
  data.data_in = in.data();
  data.input_frames = static_cast<long>(in.size());
  data.data_out = out.data();
  data.output_frames = static_cast<long>(out.size());
  data.src_ratio = ratio;
  if (const int error = src_simple(&data, SRC_SINC_FASTEST, 1)) {
    return Error{Code::Internal, fmt::format("resampling failed: {}", src_strerror(error))};
  }
  out.resize(static_cast<std::size_t>(data.output_frames_gen));
  return out;
}

}  // namespace

Result<std::vector<std::int16_t>> read_speech(std::string_view wav) {
  std::istringstream input{std::string{wav}};
  const auto format = device::replay::read_wav_format(input, "file");
  if (!format) return format.error();
  if (format->rate < kLowestRate || format->rate > kHighestRate) {
    return Error{Code::Invalid, fmt::format("file: {} Hz; from {} to {} Hz can be recognised",
                                            format->rate, kLowestRate, kHighestRate)};
  }
  const auto begin = static_cast<std::size_t>(input.tellg());
  const auto pcm = wav.substr(std::min(begin, wav.size())).substr(0, format->bytes);
  auto samples = first_channel(pcm, format->channels);
  if (static_cast<double>(samples.size()) > kLongestSeconds * format->rate) {
    return Error{Code::Invalid, "file: longer than half an hour; send it in pieces"};
  }
  if (format->rate != Recogniser::kRate) {
    auto made = resampled(samples, static_cast<double>(Recogniser::kRate) / format->rate);
    if (!made) return made.error();
    samples = std::move(*made);
  }
  if (samples.size() < kShortest) {
    return Error{Code::Invalid, "file: shorter than 0.1 s"};
  }
  std::vector<std::int16_t> out(samples.size());
  src_float_to_short_array(samples.data(), out.data(), static_cast<int>(samples.size()));
  return out;
}

}  // namespace infiniedge::api::openai
