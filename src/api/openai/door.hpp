// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "api/openai/chat.hpp"
#include "api/openai/embeddings.hpp"
#include "api/openai/transcriptions.hpp"
#include "model/server.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::api::openai {

/// OpenAI's API for what runs here: models, embeddings, transcriptions; chat of an upstream.
///
/// Flow:    client -> http::Server -> [Door] -> model::Server, Recogniser, upstream
/// Thread:  the server's shard.
/// Owner:   app, which mounts handle() behind its authentication; close() before destruction.
/// Errors:  none leave it: every failure is a response as OpenAI's clients read it.
class Door {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    model::Server& models;
    runtime::Workers& workers;
    runtime::Metrics& metrics;
  };

  Door(const Parts& parts, Upstream upstream);

  /// True for the paths that handle() answers.
  static bool owns(std::string_view path);
  Task<runtime::http::Response> handle(runtime::http::Request request);
  Task<void> close() { return chat_.close(); }

 private:
  runtime::http::Response models() const;
  runtime::http::Response model(std::string_view id) const;
  std::vector<std::string> names() const;

  model::Server& server_;
  Embeddings embeddings_;
  Transcriptions transcriptions_;
  Chat chat_;
};

}  // namespace infiniedge::api::openai
