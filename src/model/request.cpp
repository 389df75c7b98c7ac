// SPDX-License-Identifier: Apache-2.0
#include "model/request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "model/batch.hpp"

namespace infiniedge::model {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::size_t find(const std::vector<IoConfig>& ios, std::string_view name) {
  for (std::size_t i = 0; i < ios.size(); ++i) {
    if (ios[i].name == name) return i;
  }
  return ios.size();
}

Result<void> check_shape(const ModelConfig& config, const IoConfig& io, const Tensor& tensor) {
  const std::size_t batch = config.max_batch() > 0 ? 1 : 0;
  bool fits = tensor.shape.size() == io.dims.size() + batch;
  for (std::size_t i = 0; fits && i < io.dims.size(); ++i) {
    fits = io.dims[i] < 0 || io.dims[i] == tensor.shape[i + batch];
  }
  if (fits) return {};
  auto expected = io.dims;
  if (batch == 1) expected.insert(expected.begin(), -1);
  return Error{Code::Invalid,
               fmt::format("unexpected shape for input '{}' for model '{}'. Expected {}, got {}",
                           io.name, config.name, shape_text(expected), shape_text(tensor.shape))};
}

Result<void> check_size(const Tensor& tensor) {
  const auto elements = element_count(tensor.shape);
  if (!elements) {
    return Error{Code::Invalid, fmt::format("input '{}' has an impossible shape {}", tensor.name,
                                            shape_text(tensor.shape))};
  }
  if (tensor.type == DataType::Bytes) {
    const auto size = packed_size(tensor.data, *elements);
    if (size && *size == tensor.data.size()) return {};
    return Error{Code::Invalid, fmt::format("input '{}': {} bytes do not hold exactly {} BYTES "
                                            "elements of u32 length and content",
                                            tensor.name, tensor.data.size(), *elements)};
  }
  std::int64_t bytes = 0;
  const auto width = static_cast<std::int64_t>(element_size(tensor.type));
  if (!__builtin_mul_overflow(*elements, width, &bytes) &&
      static_cast<std::uint64_t>(bytes) == tensor.data.size()) {
    return {};
  }
  return Error{Code::Invalid, fmt::format("input '{}' has {} bytes, shape {} of {} needs {}",
                                          tensor.name, tensor.data.size(), shape_text(tensor.shape),
                                          to_string(tensor.type), bytes)};
}

Result<void> check_batch(const ModelConfig& config, CheckedRequest& out) {
  if (config.max_batch() == 0) return {};
  out.batch = out.inputs[0].shape[0];
  for (const auto& input : out.inputs) {
    if (input.shape[0] != out.batch) {
      return Error{Code::Invalid,
                   fmt::format("input '{}' has batch size {}, '{}' has {}", input.name,
                               input.shape[0], out.inputs[0].name, out.batch)};
    }
  }
  if (out.batch < 1 || out.batch > config.max_batch()) {
    return Error{Code::Invalid,
                 fmt::format("inference request batch-size must be <= {} for '{}', and at least 1; "
                             "it is {}",
                             config.max_batch(), config.name, out.batch)};
  }
  return {};
}

Error missing(const ModelConfig& config, const std::vector<bool>& given) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) names.push_back("'" + config.inputs[i].name + "'");
  }
  return {Code::Invalid, fmt::format("model '{}' expects {} inputs; missing required input(s) {}",
                                     config.name, config.inputs.size(), fmt::join(names, ", "))};
}

Result<void> order_inputs(const ModelConfig& config, std::vector<Tensor> inputs,
                          CheckedRequest& out) {
  std::vector<bool> given(config.inputs.size());
  out.inputs.resize(config.inputs.size());
  for (auto& input : inputs) {
    const auto at = find(config.inputs, input.name);
    if (at == config.inputs.size()) {
      return Error{Code::Invalid, fmt::format("unexpected inference input '{}' for model '{}'",
                                              input.name, config.name)};
    }
    if (given[at]) {
      return Error{Code::Invalid, fmt::format("input '{}' is given twice", input.name)};
    }
    if (input.type != config.inputs[at].type) {
      return Error{
          Code::Invalid,
          fmt::format("inference input '{}' data-type is '{}', but model '{}' expects '{}'",
                      input.name, to_string(input.type), config.name,
                      to_string(config.inputs[at].type))};
    }
    INFINIEDGE_TRY(check_shape(config, config.inputs[at], input));
    given[at] = true;
    out.inputs[at] = std::move(input);
  }
  if (std::find(given.begin(), given.end(), false) != given.end()) return missing(config, given);
  return {};
}

/// Puts `shape`, which fits `from`, into the form `to`: what varies stays in its order.
void reshape(const ModelConfig& config, const std::vector<std::int64_t>& from,
             const std::vector<std::int64_t>& to, std::vector<std::int64_t>& shape) {
  const std::size_t batch = config.max_batch() > 0 ? 1 : 0;
  if (shape.size() != from.size() + batch) return;
  std::vector<std::int64_t> out(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(batch));
  std::size_t at = 0;
  for (const auto dim : to) {
    while (dim < 0 && at < from.size() && from[at] >= 0) ++at;
    out.push_back(dim < 0 && at < from.size() ? shape[batch + at++] : dim);
  }
  shape = std::move(out);
}

}  // namespace

void to_client_shapes(const ModelConfig& config, std::vector<Tensor>& outputs) {
  for (std::size_t i = 0; i < outputs.size() && i < config.outputs.size(); ++i) {
    const auto& io = config.outputs[i];
    if (io.reshape) reshape(config, *io.reshape, io.dims, outputs[i].shape);
  }
}

std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const auto dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return std::nullopt;
  }
  return count;
}

Result<CheckedRequest> check_request(const ModelConfig& config, std::vector<Tensor> inputs,
                                     const std::vector<std::string>& outputs) {
  CheckedRequest out;
  INFINIEDGE_TRY(order_inputs(config, std::move(inputs), out));
  INFINIEDGE_TRY(check_batch(config, out));
  for (const auto& input : out.inputs) INFINIEDGE_TRY(check_size(input));
  for (std::size_t i = 0; i < out.inputs.size(); ++i) {
    const auto& io = config.inputs[i];
    if (io.reshape) reshape(config, io.dims, *io.reshape, out.inputs[i].shape);
  }
  for (const auto& name : outputs) {
    const auto at = find(config.outputs, name);
    if (at == config.outputs.size()) {
      return Error{Code::Invalid, fmt::format("unexpected inference output '{}' for model '{}'",
                                              name, config.name)};
    }
    if (std::find(out.outputs.begin(), out.outputs.end(), at) != out.outputs.end()) {
      return Error{Code::Invalid, fmt::format("output '{}' is requested twice", name)};
    }
    out.outputs.push_back(at);
  }
  return out;
}

}  // namespace infiniedge::model
