// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/openai/wordpiece.hpp"
#include "model/server.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::api::openai {

/// What a client asks of POST /v1/embeddings.
struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> texts{};                 ///< Or
  std::vector<std::vector<std::int64_t>> tokens{};  ///< already cut.
  bool base64 = false;
  std::size_t dimensions = 0;  ///< 0: all that the model has.

  /// Errors: Invalid; `param` is then the field.
  static Result<EmbeddingRequest> read(std::string_view body, std::string& param);
};

/// Sentence vectors from a BERT of the repository with its `vocab.txt` beside `config.pbtxt`:
/// inputs input_ids, attention_mask and, if it has them, token_type_ids; output of rank 3 (the
/// mean over the tokens is taken) or 2. Vectors have length 1.
///
/// Flow:    Door -> [Embeddings] -> model::Server
/// Thread:  the server's shard; texts are read and cut on `workers`.
/// Owner:   Door.
/// Errors:  none leave it: a failure is a response.
class Embeddings {
 public:
  Embeddings(model::Server& server, runtime::Workers& workers, runtime::Metrics& metrics);

  Task<runtime::http::Response> handle(runtime::http::Request request);
  /// True if the model takes tokens and its vocabulary is there.
  bool serves(const model::Served& served) const;

 private:
  using Vector = std::vector<float>;
  struct Known {
    std::weak_ptr<model::Served> served;
    std::shared_ptr<const WordPiece> words;
  };

  Task<Result<std::shared_ptr<const WordPiece>>> words_of(std::shared_ptr<model::Served> served);
  Task<Result<std::vector<Vector>>> embed(std::shared_ptr<model::Served> served,
                                          std::vector<std::vector<std::int64_t>> tokens);

  model::Server& server_;
  runtime::Workers& workers_;
  runtime::Counter& tokens_;
  std::map<std::string, Known> known_;  ///< By model; a reload reads the vocabulary again.
};

}  // namespace infiniedge::api::openai
