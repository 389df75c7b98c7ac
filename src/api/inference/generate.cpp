// SPDX-License-Identifier: Apache-2.0
#include "api/inference/generate.hpp"

#include <algorithm>

#include "api/inference/call_parameter.hpp"
#include "api/inference/json_tensor.hpp"
#include "api/inference/reply.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

constexpr std::string_view kInput = "text_input", kOutput = "text_output";

const model::IoConfig* find(const std::vector<model::IoConfig>& ios, std::string_view name) {
  const auto found =
      std::find_if(ios.begin(), ios.end(), [&](const auto& io) { return io.name == name; });
  return found == ios.end() ? nullptr : &*found;
}

bool has_text(const std::vector<model::IoConfig>& ios, std::string_view name) {
  const auto* io = find(ios, name);
  return io != nullptr && io->type == DataType::Bytes;
}

/// One value for an input, at batch 1.
Result<void> read_value(const Where& where, Value value, const model::ModelConfig& config,
                        const model::IoConfig& io, Call& call) {
  Tensor tensor{.name = io.name, .type = io.type, .shape = io.dims};
  for (auto& dim : tensor.shape) dim = dim < 0 ? 1 : dim;
  if (config.max_batch() > 0) tensor.shape.insert(tensor.shape.begin(), 1);
  INFINIEDGE_TRY(read_data(where, value, tensor));
  call.request.inputs.push_back(std::move(tensor));
  return {};
}

Result<void> read_member(const Where& where, std::string_view key, Value value,
                         const model::ModelConfig& config, Call& call) {
  if (const auto* io = find(config.inputs, key)) {
    return read_value(where, value, config, *io, call);
  }
  if (key == "id") {
    auto id = read_string(where, value);
    if (!id) return std::move(id).error();
    call.id = std::move(*id);
  } else if (key == "parameters") {
    auto inner = read_object(where, value);
    if (!inner) return std::move(inner).error();
    return each_member(where, *inner, [&](const Where& at, std::string_view name, Value v) {
      const auto* io = find(config.inputs, name);
      return io != nullptr ? read_value(at, v, config, *io, call)
                           : read_call_parameter(at, name, v, call);
    });
  }
  return {};
}

}  // namespace

Result<Call> read_generate(const model::ModelConfig& config, const std::string& body) {
  if (!has_text(config.inputs, kInput) || !has_text(config.outputs, kOutput)) {
    return Error{Code::Invalid,
                 fmt::format("generate needs a model with BYTES tensors text_input and "
                             "text_output; '{}' has other ones, use infer",
                             config.name)};
  }
  Call call;
  call.request.model = config.name;
  INFINIEDGE_TRY(read_body(body, [&](const Where& where, std::string_view key, Value value) {
    return read_member(where, key, value, config, call);
  }));
  settle_sequence(call);
  call.request.outputs.emplace_back(kOutput);
  call.outputs.push_back({.name = std::string{kOutput}});
  return call;
}

std::string write_generate(const Call& call, const model::InferResponse& answer) {
  std::string out = "{";
  if (!call.id.empty()) {
    out.append("\"id\":");
    append_json_string(out, call.id);
    out.push_back(',');
  }
  out.append("\"model_name\":");
  append_json_string(out, answer.config->name);
  out.append(",\"model_version\":\"").append(std::to_string(answer.version));
  out.append("\",\"text_output\":");
  const auto& tensor = answer.outputs.front();
  const bool single = tensor.elements() == 1;
  if (!single) out.push_back('[');
  append_json_strings(out, tensor.data);
  if (!single) out.push_back(']');
  return out.append("}");
}

}  // namespace infiniedge::api::inference
