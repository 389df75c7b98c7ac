// SPDX-License-Identifier: Apache-2.0
#include "model/predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace infiniedge::model {
namespace {

/// Samples of one execution: the batch, or all where the first of several dims varies, or one.
std::size_t rows_at_once(const ModelConfig& config) {
  if (config.max_batch() > 0) return static_cast<std::size_t>(config.max_batch());
  const auto& dims = config.inputs[0].dims;
  return dims.size() > 1 && dims[0] < 0 ? 1024 : 1;
}

/// Dims of one sample.
std::vector<std::int64_t> sample_dims(const ModelConfig& config) {
  const auto& dims = config.inputs[0].dims;
  if (config.max_batch() > 0 || dims.size() < 2) return dims;
  return {dims.begin() + 1, dims.end()};
}

Result<void> check_input(const ModelConfig& config) {
  if (config.inputs.size() == 1 &&
      (config.inputs[0].type == DataType::Fp32 || config.inputs[0].type == DataType::Fp64)) {
    return {};
  }
  return Error{Code::Unsupported,
               fmt::format("model '{}' cannot be asked with numbers: it must have one input, of "
                           "type FP32 or FP64",
                           config.name)};
}

/// What a failed execution means for its samples.
std::vector<Answer> nothing(std::size_t rows) {
  std::vector<Answer> out(rows);
  for (auto& answer : out) answer.valid = false;
  return out;
}

}  // namespace

Result<std::size_t> feature_width(const ModelConfig& config) {
  INFINIEDGE_TRY(check_input(config));
  std::size_t width = 1;
  for (const auto dim : sample_dims(config)) {
    if (dim < 0) return 0;
    width *= static_cast<std::size_t>(dim);
  }
  return width;
}

Result<Tensor> features_tensor(const ModelConfig& config, const std::vector<Sample>& samples,
                               std::size_t from, std::size_t count) {
  const auto fixed = feature_width(config);
  if (!fixed) return fixed.error();
  const auto width = *fixed == 0 ? samples[from].features.size() : *fixed;
  const auto& input = config.inputs[0];
  Tensor out{.name = input.name, .type = input.type, .shape = {}, .data = {}, .owner = {}};
  out.shape = sample_dims(config);
  const auto open = std::count_if(out.shape.begin(), out.shape.end(), [](auto d) { return d < 0; });
  if (open > 1) return Error{Code::Unsupported, "the input has several dimensions that vary"};
  std::size_t known = 1;
  for (const auto dim : out.shape) known *= dim < 0 ? 1 : static_cast<std::size_t>(dim);
  if (known == 0) return Error{Code::Unsupported, "the input has a dimension of size 0"};
  for (auto& dim : out.shape) dim = dim < 0 ? static_cast<std::int64_t>(width / known) : dim;
  if (config.max_batch() > 0 || input.dims.size() > 1) {
    out.shape.insert(out.shape.begin(), static_cast<std::int64_t>(count));
  }
  auto floats = std::make_shared<std::vector<double>>();  // Aligned for both types.
  floats->resize(input.type == DataType::Fp64 ? count * width : (count * width + 1) / 2);
  auto* narrow = reinterpret_cast<std::byte*>(floats->data());
  for (std::size_t i = 0; i < count; ++i) {
    const auto& row = samples[from + i].features;
    if (row.size() != width) {
      return Error{Code::Invalid, fmt::format("model '{}' takes {} features a sample, got {}",
                                              config.name, width, row.size())};
    }
    if (input.type == DataType::Fp64) {
      std::copy(row.begin(), row.end(), floats->begin() + static_cast<std::ptrdiff_t>(i * width));
    } else if (width > 0) {
      std::memcpy(narrow + i * width * 4, row.data(), width * 4);
    }
  }
  out.data = {narrow, count * width * element_size(input.type)};
  out.owner = std::move(floats);
  return out;
}

Task<Result<std::vector<Answer>>> ask(Server& server, std::string model,
                                      std::vector<Sample> samples, std::optional<Micros> timeout) {
  auto served = server.find(model);
  if (!served) co_return std::move(served).error();
  const auto config = (*served)->config_ptr();
  served->reset();
  std::vector<Answer> out;
  out.reserve(samples.size());
  const auto step = config->inputs.empty() ? 1 : rows_at_once(*config);
  for (std::size_t from = 0; from < samples.size(); from += step) {
    const auto count = std::min(step, samples.size() - from);
    auto tensor = features_tensor(*config, samples, from, count);
    if (!tensor) co_return std::move(tensor).error();
    InferRequest request{.model = model, .timeout = timeout};
    request.inputs.push_back(std::move(*tensor));
    auto response = co_await server.infer(std::move(request));
    if (!response) co_return std::move(response).error();
    std::vector<std::string> labels;
    for (const auto& output : response->config->outputs) {
      if (labels.empty()) labels = output.labels;
    }
    auto answers = read_answers(response->outputs, count, labels);
    if (!answers) co_return std::move(answers).error();
    std::move(answers->begin(), answers->end(), std::back_inserter(out));
  }
  co_return out;
}

Result<std::size_t> ServerPredictor::width(const std::string& model) const {
  auto served = server_.find(model);
  if (!served) return std::move(served).error();
  return feature_width((*served)->config());
}

Task<Result<std::vector<Prediction>>> ServerPredictor::predict(const std::string& model,
                                                               std::vector<Sample> samples) {
  const auto rows = samples.size();
  auto answers = co_await ask(server_, model, std::move(samples), std::nullopt);
  std::string why = "the model's output is not finite";
  if (!answers) {
    const auto code = answers.error().code();
    if (code == Code::NotFound || code == Code::Unavailable) co_return std::move(answers).error();
    why = answers.error().describe();
    answers = nothing(rows);
  }
  std::vector<Prediction> out;
  out.reserve(rows);
  for (auto& answer : *answers) {
    Prediction prediction{.label = std::move(answer.label), .score = answer.score};
    if (!answer.valid) prediction.error = why;
    out.push_back(std::move(prediction));
  }
  co_return out;
}

}  // namespace infiniedge::model
