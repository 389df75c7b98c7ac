// SPDX-License-Identifier: Apache-2.0
#include "decision/teacher.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cstring>

namespace infiniedge::decision {
namespace {

namespace http = runtime::http;
namespace json = boost::json;

constexpr std::string_view kHeaderLength = "Inference-Header-Content-Length";

Error status_error(const http::Response& response) {
  const auto sentence = fmt::format("the teacher answers with status {}: {}", response.status,
                                    response.body.substr(0, 200));
  if (response.status == 401 || response.status == 403) return {Code::Denied, sentence};
  if (response.status == 408) return {Code::Timeout, sentence};
  if (response.status == 429) return {Code::Exhausted, sentence};
  if (response.status >= 500) return {Code::Unavailable, sentence};
  return {Code::Invalid, sentence};
}

/// One output of the response; `data` runs through the binary part.
Result<Tensor> read_output(const json::value& output, std::string_view& data,
                           const std::shared_ptr<const void>& owner) {
  const auto& object = output.as_object();
  const auto type = data_type_from(std::string_view{object.at("datatype").as_string()});
  if (!type) return Error{Code::Corrupt, "the teacher's output has an unknown datatype"};
  Tensor tensor{.name = std::string{object.at("name").as_string()}, .type = *type, .owner = owner};
  for (const auto& d : object.at("shape").as_array()) {
    tensor.shape.push_back(d.to_number<std::int64_t>());
  }
  const auto size = object.at("parameters").at("binary_data_size").to_number<std::size_t>();
  if (size > data.size()) return Error{Code::Corrupt, "the teacher's answer is cut"};
  tensor.data = std::as_bytes(std::span(data.data(), size));
  data.remove_prefix(size);
  return tensor;
}

Result<std::vector<Tensor>> read_response(const http::Response& response) {
  const auto length = response.headers.get(kHeaderLength);
  std::size_t header = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), header);
  if (error != std::errc{} || header > response.body.size()) {
    return Error{Code::Corrupt, "the teacher does not answer in binary tensors"};
  }
  const auto owner = std::make_shared<const std::string>(response.body);
  std::string_view data{*owner};
  std::vector<Tensor> out;
  try {
    const auto parsed = json::parse(data.substr(0, header));
    data.remove_prefix(header);
    for (const auto& output : parsed.at("outputs").as_array()) {
      auto tensor = read_output(output, data, owner);
      if (!tensor) return tensor.error();
      out.push_back(std::move(*tensor));
    }
  } catch (const std::exception& e) {
    return Error{Code::Corrupt, fmt::format("the teacher's answer cannot be read: {}", e.what())};
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<HttpTeacher>> HttpTeacher::make(boost::asio::any_io_executor executor,
                                                       Options options) {
  auto url = http::Url::parse(options.address);
  if (!url) return url.error();
  auto client = http::Client::make(std::move(executor), std::move(*url), options.client);
  if (!client) return client.error();
  return std::unique_ptr<HttpTeacher>(new HttpTeacher(std::move(*client), std::move(options)));
}

http::Request HttpTeacher::request(std::string method, std::string suffix) const {
  http::Request out;
  out.method = std::move(method);
  out.target = fmt::format("/v2/models/{}{}", options_.model, suffix);
  if (!options_.token.empty()) out.headers.set("authorization", "Bearer " + options_.token);
  return out;
}

Task<Result<void>> HttpTeacher::learn_input(Micros timeout) {
  auto metadata = request("GET", "");
  const auto response = co_await client_->send(std::move(metadata), timeout);
  if (!response) co_return response.error();
  if (response->status != 200) co_return status_error(*response);
  boost::system::error_code error;
  const auto parsed = json::parse(response->body, error);
  const auto* name = error ? nullptr : parsed.find_pointer("/inputs/0/name", error);
  if (name == nullptr || !name->is_string()) {
    co_return Error{Code::Corrupt, "the teacher's metadata names no input"};
  }
  input_ = std::string{name->as_string()};
  co_return Result<void>{};
}

std::string HttpTeacher::body(const std::vector<Sample>& samples, std::size_t& header) const {
  const auto width = samples[0].features.size();
  const auto bytes = samples.size() * width * sizeof(float);
  auto out = fmt::format(
      R"({{"inputs":[{{"name":{},"datatype":"FP32","shape":[{},{}],"parameters":{{"binary_data_size":{}}}}}],)"
      R"("parameters":{{"binary_data_output":true}}}})",
      json::serialize(json::value(input_)), samples.size(), width, bytes);
  header = out.size();
  out.resize(header + bytes);
  auto* at = out.data() + header;
  for (const auto& sample : samples) {
    std::memcpy(at, sample.features.data(), width * sizeof(float));
    at += width * sizeof(float);
  }
  return out;
}

Task<Result<std::vector<model::Answer>>> HttpTeacher::ask(std::vector<Sample> samples,
                                                          Micros timeout, std::size_t& bytes) {
  if (samples.empty()) co_return std::vector<model::Answer>{};
  if (input_.empty()) {
    if (const auto learnt = co_await learn_input(timeout); !learnt) co_return learnt.error();
  }
  std::size_t header = 0;
  auto infer = request("POST", "/infer");
  infer.body = std::make_shared<const std::string>(body(samples, header));
  infer.headers.set(kHeaderLength, std::to_string(header));
  infer.headers.set("content-type", "application/octet-stream");
  bytes = infer.body->size();
  const auto response = co_await client_->send(std::move(infer), timeout);
  if (!response) co_return response.error();
  if (response->status != 200) co_return status_error(*response);
  const auto outputs = read_response(*response);
  if (!outputs) co_return outputs.error();
  co_return model::read_answers(*outputs, samples.size(), options_.labels);
}

}  // namespace infiniedge::decision
