// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/bytes.hpp"
#include "device/replay/reader.hpp"
#include "device/replay/wav_format.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::uint32_t kMaxWindow = 10'000'000;
constexpr std::size_t kPiece =
    1U << 20;  ///< Memory grows with what the file has, not what it claims.

class WavReader final : public Reader {
 public:
  WavReader(Input input, std::string file, const ReadOptions& options)
      : input_(std::move(input)), file_(std::move(file)), options_(options) {}

  Result<void> start() {
    const auto format = read_wav_format(*input_, file_);
    if (!format) return format.error();
    channels_ = format->channels;
    rate_ = format->rate;
    left_ = format->bytes;
    return plan_windows();
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<std::optional<Record>> next() override {
    const auto frame = static_cast<std::size_t>(2) * channels_;
    const auto wanted = window_ * frame;
    while (pcm_.size() < wanted && left_ > 0) {
      const auto had = pcm_.size();
      const auto ask = std::min({wanted - had, std::size_t{left_}, kPiece});
      pcm_.resize(had + ask);
      input_->read(pcm_.data() + had, static_cast<std::streamsize>(ask));
      const auto got = static_cast<std::size_t>(input_->gcount());
      pcm_.resize(had + got);
      // A recorder that was cut off leaves a size that is too large: what is there is there.
      left_ = got < ask ? 0 : left_ - static_cast<std::uint32_t>(ask);
    }
    const auto have = std::min(wanted, pcm_.size() / frame * frame);
    if (have == 0) return std::optional<Record>{};
    auto out = window(std::string_view(pcm_).substr(0, have));
    const bool last = have < wanted;
    pcm_.erase(0, last ? pcm_.size() : std::min(pcm_.size(), hop_ * frame));
    skip(hop_ > window_ && !last ? (hop_ - window_) * frame : 0);
    return std::optional<Record>{std::move(out)};
  }

 private:
  Error fault(std::string_view what) const {
    return {Code::Invalid, fmt::format("{}: {}", file_, what)};
  }

  Result<void> plan_windows() {
    const auto frames = [this](Micros span) {
      return static_cast<std::size_t>(static_cast<double>(span.count()) * rate_ / 1e6 + 0.5);
    };
    window_ = frames(options_.chunk);
    hop_ = options_.hop == Micros{0} ? window_ : frames(options_.hop);
    if (window_ == 0 || hop_ == 0 || window_ > kMaxWindow || hop_ > kMaxWindow) {
      return fault(fmt::format("a chunk of {} samples every {} is not possible", window_, hop_));
    }
    return {};
  }

  Record window(std::string_view pcm) {
    std::string samples;
    double squares = 0, peak = 0;
    const auto frame = static_cast<std::size_t>(2) * channels_;
    for (std::size_t at = 0; at < pcm.size(); at += frame) {
      const auto x =
          static_cast<float>(base::get<std::int16_t>(base::as_bytes(pcm), at)) / 32768.0F;
      base::put(samples, x);
      squares += static_cast<double>(x) * x;
      peak = std::max(peak, static_cast<double>(std::abs(x)));
    }
    const auto count = static_cast<double>(pcm.size() / frame);
    Record out;
    out.since_start = Micros{std::llround(static_cast<double>(position_) * 1e6 / rate_)};
    out.fields = {Value{std::move(samples)}, Value{std::string{pcm}},
                  Value{std::sqrt(squares / count)}, Value{peak}, Value{index_}};
    ++index_;
    position_ += hop_;
    return out;
  }

  void skip(std::size_t bytes) {
    const auto n = std::min<std::size_t>(bytes, left_);
    input_->ignore(static_cast<std::streamsize>(n));
    left_ -= static_cast<std::uint32_t>(n);
  }

  const std::vector<std::string> columns_{"samples", "pcm", "rms", "peak", "index"};
  Input input_;
  std::string file_;
  ReadOptions options_;
  std::uint16_t channels_ = 0;
  std::uint32_t rate_ = 0;
  std::uint32_t left_ = 0;            ///< Bytes of the data chunk not yet read.
  std::size_t window_ = 0, hop_ = 0;  ///< Samples.
  std::string pcm_;                   ///< Read and still needed by a window.
  std::uint64_t position_ = 0;
  std::int64_t index_ = 0;
};

}  // namespace

MadeReader read_wav(Input input, std::string file, const ReadOptions& options) {
  auto reader = std::make_unique<WavReader>(std::move(input), std::move(file), options);
  INFINIEDGE_TRY(reader->start());
  return MadeReader{std::move(reader)};
}

}  // namespace infiniedge::device::replay
