// SPDX-License-Identifier: Apache-2.0
#include "api/openai/transcriptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/openai/multipart.hpp"
#include "api/openai/problem.hpp"
#include "api/problem.hpp"

namespace infiniedge::api::openai {
namespace {

namespace json = boost::json;
using runtime::http::Request;
using runtime::http::Response;

constexpr std::size_t kMostBytes = 25U << 20;  ///< As OpenAI has it.
constexpr double kPause = 0.3;
constexpr double kLongestSegment = 15;

Error invalid(std::string message) { return {Code::Invalid, std::move(message)}; }

std::string text_of(const std::vector<Segment>& segments) {
  std::string out;
  for (const auto& segment : segments) out.append(out.empty() ? "" : " ").append(segment.text);
  return out;
}

/// "00:01:02,345"; `mark` is the decimal mark.
std::string clock_time(double seconds, char mark) {
  const auto ms = static_cast<long>(seconds * 1000 + 0.5);
  return fmt::format("{:02}:{:02}:{:02}{}{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     mark, ms % 1000);
}

std::string subtitles(const std::vector<Segment>& segments, bool vtt) {
  std::string out = vtt ? "WEBVTT\n\n" : "";
  int number = 0;
  const char mark = vtt ? '.' : ',';
  for (const auto& segment : segments) {
    if (!vtt) out += fmt::format("{}\n", ++number);
    out += fmt::format("{} --> {}\n{}\n\n", clock_time(segment.start, mark),
                       clock_time(segment.end, mark), segment.text);
  }
  return out;
}

std::string verbose(const std::vector<Segment>& segments, double duration) {
  json::array list;
  for (const auto& segment : segments) {
    list.push_back({{"id", list.size()},
                    {"start", segment.start},
                    {"end", segment.end},
                    {"text", segment.text}});
  }
  return json::serialize(json::object{{"task", "transcribe"},
                                      {"language", "english"},
                                      {"duration", duration},
                                      {"text", text_of(segments)},
                                      {"segments", std::move(list)}});
}

std::string events(const std::vector<Segment>& segments) {
  std::string out;
  for (const auto& segment : segments) {
    const auto delta = (out.empty() ? "" : " ") + segment.text;
    const json::object event{{"type", "transcript.text.delta"}, {"delta", delta}};
    out += "data: " + json::serialize(event) + "\n\n";
  }
  const json::object done{{"type", "transcript.text.done"}, {"text", text_of(segments)}};
  return out + "data: " + json::serialize(done) + "\n\n";
}

Response typed(std::string body, std::string type) {
  Response out;
  out.headers.set("content-type", std::move(type));
  out.body = std::move(body);
  return out;
}

}  // namespace

struct Transcriptions::Wish {
  std::shared_ptr<const std::string> body;  ///< `file` points into it.
  std::string_view file{};
  std::string format = "json";
  bool stream = false;
};

std::vector<Segment> segments_of(const std::vector<Word>& words) {
  std::vector<Segment> out;
  for (const auto& word : words) {
    const bool fresh = out.empty() || word.start - out.back().end >= kPause ||
                       word.end - out.back().start > kLongestSegment;
    if (fresh) out.push_back({"", word.start, word.end});
    auto& segment = out.back();
    segment.text.append(segment.text.empty() ? "" : " ").append(word.text);
    segment.end = word.end;
  }
  return out;
}

Result<Transcriptions::Wish> Transcriptions::read(const Request& request, std::string& param) {
  Wish out{.body = request.body};
  auto form = read_form(request.headers.get("content-type"), *request.body);
  if (!form) return form.error();
  bool has_file = false, has_model = false;
  for (const auto& part : *form) {
    param = part.name;
    const std::string value{part.content};
    if (part.name == "file") {
      out.file = part.content;
      has_file = true;
    } else if (part.name == "model") {
      has_model = !value.empty();
    } else if (part.name == "response_format") {
      constexpr std::string_view kFormats[] = {"json", "text", "verbose_json", "srt", "vtt"};
      if (std::ranges::find(kFormats, value) == std::end(kFormats)) {
        return invalid(
            fmt::format("response_format '{}': json, text, verbose_json, srt or vtt", value));
      }
      out.format = value;
    } else if (part.name == "stream") {
      out.stream = value == "true";
    } else if (part.name == "language" && value != "en") {
      return invalid(fmt::format("language '{}': only en is installed", value));
    }
  }
  param = has_file ? "model" : "file";
  if (!has_file) return invalid("file is missing: a WAV file (PCM, 16 bits)");
  if (!has_model) return invalid("model is missing: the name of one in GET /v1/models");
  param = "file";
  if (out.file.size() > kMostBytes) return invalid("file: more than 25 MiB; send it in pieces");
  return out;
}

Task<Response> Transcriptions::handle(Request request) {
  std::string param;
  const auto wish = read(request, param);
  if (!wish) co_return problem(wish.error(), param);
  const auto waiting = co_await turn_.send(true);
  if (!waiting) co_return problem(waiting.error());
  const std::shared_ptr<void> release(nullptr, [this](void*) { (void)turn_.try_receive(); });
  auto job = [this, &wish] { return recognise(*wish); };
  auto heard = co_await runtime::run_on(workers_, job);
  if (!heard) {
    // A file that we cannot read is the caller's to change.
    const bool theirs = heard.error().code() == Code::Unsupported;
    co_return problem(theirs ? Error{Code::Invalid, heard.error().message()} : heard.error(),
                      "file");
  }
  const auto segments = segments_of(heard->first);
  if (wish->stream) co_return typed(events(segments), "text/event-stream");
  if (wish->format == "verbose_json") co_return json_response(verbose(segments, heard->second));
  if (wish->format == "text") co_return typed(text_of(segments) + "\n", "text/plain");
  if (wish->format == "srt") co_return typed(subtitles(segments, false), "application/x-subrip");
  if (wish->format == "vtt") co_return typed(subtitles(segments, true), "text/vtt");
  co_return json_response(json::serialize(json::object{{"text", text_of(segments)}}));
}

/// On a worker: nothing else touches the recogniser meanwhile.
Result<Transcriptions::Heard> Transcriptions::recognise(const Wish& wish) {
  const auto samples = read_speech(wish.file);
  if (!samples) return samples.error();
  if (!recogniser_) {
    auto made = Recogniser::make("en");
    if (!made) return made.error();
    recogniser_ = std::move(*made);
  }
  auto words = recogniser_->recognise(*samples);
  if (!words) return words.error();
  return Heard{std::move(*words), static_cast<double>(samples->size()) / Recogniser::kRate};
}

}  // namespace infiniedge::api::openai
