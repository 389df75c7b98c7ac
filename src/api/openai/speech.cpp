// SPDX-License-Identifier: Apache-2.0
// The recogniser is PocketSphinx with its English model.
#include "api/openai/speech.hpp"

#include <fmt/format.h>
#include <pocketsphinx.h>
#include <sphinxbase/err.h>

namespace infiniedge::api::openai {
namespace {

constexpr double kFramesPerSecond = 100;
constexpr std::string_view kModel = INFINIEDGE_SPEECH_MODEL;  ///< Folder of the languages.

class PocketSphinx final : public Recogniser {
 public:
  explicit PocketSphinx(ps_decoder_t* decoder) : decoder_(decoder) {}
  ~PocketSphinx() override { ps_free(decoder_); }
  PocketSphinx(const PocketSphinx&) = delete;
  PocketSphinx& operator=(const PocketSphinx&) = delete;

  Result<std::vector<Word>> recognise(const std::vector<std::int16_t>& samples) override {
    // The first frames of one file must not be judged by the mean of the one before.
    ps_start_stream(decoder_);
    const bool heard = ps_start_utt(decoder_) == 0 &&
                       ps_process_raw(decoder_, samples.data(), samples.size(), 0, 1) >= 0 &&
                       ps_end_utt(decoder_) == 0;
    if (!heard) return Error{Code::Internal, "the speech recogniser failed"};
    return words();
  }

 private:
  std::vector<Word> words() {
    std::vector<Word> out;
    for (auto* segment = ps_seg_iter(decoder_); segment != nullptr;
         segment = ps_seg_next(segment)) {
      const std::string_view text = ps_seg_word(segment);
      if (text.starts_with('<') || text.starts_with('[')) continue;  // Silence, noise.
      int first = 0, last = 0;
      ps_seg_frames(segment, &first, &last);
      // "read(2)" is the second way to say "read".
      out.push_back({std::string{text.substr(0, text.find('('))}, first / kFramesPerSecond,
                     (last + 1) / kFramesPerSecond});
    }
    return out;
  }

  ps_decoder_t* decoder_;
};

}  // namespace

std::string_view Recogniser::name() { return "pocketsphinx-en-us"; }

Result<std::unique_ptr<Recogniser>> Recogniser::make(std::string_view language) {
  if (language != "en") {
    return Error{Code::Unsupported, fmt::format("language '{}': only en is installed", language)};
  }
  const auto folder = std::filesystem::path{kModel} / "en-us";
  std::error_code ignored;
  if (!std::filesystem::exists(folder / "en-us", ignored)) {
    return Error{Code::Unavailable,
                 fmt::format("{} is missing; install pocketsphinx-en-us", folder.string())};
  }
  err_set_logfp(nullptr);  // It would talk on stderr between our log lines.
  auto* config = cmd_ln_init(nullptr, ps_args(), 1, "-hmm", (folder / "en-us").c_str(), "-lm",
                             (folder / "en-us.lm.bin").c_str(), "-dict",
                             (folder / "cmudict-en-us.dict").c_str(), nullptr);
  auto* decoder = config == nullptr ? nullptr : ps_init(config);
  cmd_ln_free_r(config);  // The decoder keeps a reference of its own.
  if (decoder == nullptr) {
    return Error{Code::Internal, fmt::format("the speech model {} does not load", folder.string())};
  }
  return std::make_unique<PocketSphinx>(decoder);
}

}  // namespace infiniedge::api::openai
