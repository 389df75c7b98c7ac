// SPDX-License-Identifier: Apache-2.0
#include "api/inference/golden_reader.hpp"

#include <algorithm>

#include "api/inference/call.hpp"

namespace infiniedge::api::inference {
namespace {

Result<model::InferRequest> read_request(const model::ModelConfig& config, std::string text) {
  CallReader reader;
  auto call = reader.read(config, std::make_shared<const std::string>(std::move(text)), {});
  if (!call) return std::move(call).error();
  if (!call->shared_inputs.empty()) {
    return Error{Code::Invalid, "its inputs lie in shared memory; write them as `data`"};
  }
  if (std::any_of(call->outputs.begin(), call->outputs.end(),
                  [](const OutputWish& wish) { return wish.classes > 0; })) {
    return Error{Code::Invalid,
                 "it asks for a classification; leave that out and give the values themselves"};
  }
  return std::move(call->request);
}

}  // namespace

Result<model::GoldenCase> read_golden(const model::ModelConfig& config, std::string request,
                                      std::string response) {
  auto asked = read_request(config, std::move(request));
  if (!asked) return Error{Code::Invalid, "the request file", std::move(asked).error()};
  auto expected = read_answer(response);
  if (!expected) return Error{Code::Invalid, "the response file", std::move(expected).error()};
  return model::GoldenCase{std::move(*asked), std::move(*expected)};
}

}  // namespace infiniedge::api::inference
