// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/predictor.hpp"
#include "model/answer.hpp"
#include "runtime/http/client.hpp"

namespace infiniedge::decision {

/// A bigger model somewhere else.
///
/// Flow:   cascade -> [Teacher] -> cascade
/// Thread: one shard.
/// Owner:  the cascade.
/// Errors: Unavailable (link down, 5xx), Timeout, Exhausted (429), Denied, Invalid (it does not
///         take such samples). The first three count for the breaker.
class Teacher {
 public:
  virtual ~Teacher() = default;
  /// One answer a sample, in order. `bytes` is set to what was sent.
  virtual Task<Result<std::vector<model::Answer>>> ask(std::vector<Sample> samples, Micros timeout,
                                                       std::size_t& bytes) = 0;
};

/// A teacher behind the Open Inference Protocol, binary tensors both ways.
class HttpTeacher final : public Teacher {
 public:
  struct Options {
    std::string address;  ///< https://host:port
    std::string model, token;
    runtime::http::ClientOptions client;
    std::vector<std::string> labels;  ///< Classes in the order of the teacher's output.
  };

  static Result<std::unique_ptr<HttpTeacher>> make(boost::asio::any_io_executor executor,
                                                   Options options);
  Task<Result<std::vector<model::Answer>>> ask(std::vector<Sample> samples, Micros timeout,
                                               std::size_t& bytes) override;

 private:
  HttpTeacher(std::unique_ptr<runtime::http::Client> client, Options options)
      : client_(std::move(client)), options_(std::move(options)) {}
  Task<Result<void>> learn_input(Micros timeout);
  runtime::http::Request request(std::string method, std::string suffix) const;
  std::string body(const std::vector<Sample>& samples, std::size_t& header) const;

  std::unique_ptr<runtime::http::Client> client_;
  Options options_;
  std::string input_;  ///< Name of the teacher's input; learnt from its metadata.
};

}  // namespace infiniedge::decision
