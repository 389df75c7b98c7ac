// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/openai/speech.hpp"
#include "runtime/channel.hpp"
#include "runtime/http/http.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::api::openai {

/// Words that belong together: up to a pause.
struct Segment {
  std::string text;
  double start = 0, end = 0;
};

/// Splits at pauses of 0.3 s and before a segment grows longer than 15 s.
std::vector<Segment> segments_of(const std::vector<Word>& words);

/// POST /v1/audio/transcriptions.
///
/// Flow:    Door -> [Transcriptions] -> Recogniser
/// Thread:  the node's shard; recognising is on `workers`, one file after the other.
/// Owner:   Door.
/// Errors:  none leave it: a failure is a response.
class Transcriptions {
 public:
  Transcriptions(boost::asio::any_io_executor executor, runtime::Workers& workers)
      : workers_(workers), turn_(std::move(executor), 1) {}

  Task<runtime::http::Response> handle(runtime::http::Request request);

 private:
  struct Wish;
  using Heard = std::pair<std::vector<Word>, double>;  ///< And the seconds listened to.

  static Result<Wish> read(const runtime::http::Request& request, std::string& param);
  Result<Heard> recognise(const Wish& wish);

  runtime::Workers& workers_;
  runtime::Channel<bool> turn_;  ///< Holds one value while somebody recognises.
  std::unique_ptr<Recogniser> recogniser_;
};

}  // namespace infiniedge::api::openai
