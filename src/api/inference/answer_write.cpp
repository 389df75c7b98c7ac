// SPDX-License-Identifier: Apache-2.0
#include "api/inference/answer_write.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/inference/reply.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference {
namespace {

template <class T>
void append_number(std::string& out, T value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  out.append(text, end);
}

template <class T>
bool append_value(std::string& out, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) {
      out.append("null");
      return false;
    }
  }
  append_number(out, value);
  return true;
}

/// False if a number was not finite.
template <class T>
bool append_numbers(std::string& out, const Tensor& tensor) {
  bool finite = true;
  const auto count = tensor.data.size() / sizeof(T);
  out.reserve(out.size() + count * 8);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    finite &= append_value(out, base::get<T>(tensor.data, i * sizeof(T)));
  }
  return finite;
}

void append_bools(std::string& out, const Tensor& tensor) {
  for (std::size_t i = 0; i < tensor.data.size(); ++i) {
    if (i > 0) out.push_back(',');
    out.append(tensor.data[i] == std::byte{0} ? "false" : "true");
  }
}

bool append_data(std::string& out, const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::Bool:
      append_bools(out, tensor);
      return true;
    case DataType::Bytes:
      append_json_strings(out, tensor.data);
      return true;
    case DataType::Int8:
      return append_numbers<std::int8_t>(out, tensor);
    case DataType::Int16:
      return append_numbers<std::int16_t>(out, tensor);
    case DataType::Int32:
      return append_numbers<std::int32_t>(out, tensor);
    case DataType::Int64:
      return append_numbers<std::int64_t>(out, tensor);
    case DataType::Uint8:
      return append_numbers<std::uint8_t>(out, tensor);
    case DataType::Uint16:
      return append_numbers<std::uint16_t>(out, tensor);
    case DataType::Uint32:
      return append_numbers<std::uint32_t>(out, tensor);
    case DataType::Uint64:
      return append_numbers<std::uint64_t>(out, tensor);
    case DataType::Fp32:
      return append_numbers<float>(out, tensor);
    case DataType::Fp64:
      return append_numbers<double>(out, tensor);
    case DataType::Fp16:
    case DataType::Bf16:
      return true;  // Refused before: they have no JSON form.
  }
  return true;
}

bool only_binary(DataType type) { return type == DataType::Fp16 || type == DataType::Bf16; }

void append_head(std::string& out, const Tensor& tensor) {
  out.append("{\"name\":");
  append_json_string(out, tensor.name);
  out.append(",\"datatype\":\"").append(to_string(tensor.type)).append("\",\"shape\":[");
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_number(out, tensor.shape[i]);
  }
  out.push_back(']');
}

/// One output of the answer, prepared for writing.
struct Part {
  Tensor tensor;
  bool binary = false;
  bool shared = false;  ///< Its bytes lie in shared memory.
};

Result<void> write_shared(const OutputWish& wish, Part& part) {
  part.shared = true;
  part.binary = false;
  return write_to_region(wish, part.tensor);
}

Result<std::vector<Part>> parts_of(const Call& call, const model::InferResponse& answer) {
  auto tensors = wished_outputs(call, answer);
  if (!tensors) return std::move(tensors).error();
  std::vector<Part> out;
  out.reserve(tensors->size());
  for (std::size_t i = 0; i < tensors->size(); ++i) {
    const OutputWish* wish = call.outputs.empty() ? nullptr : &call.outputs[i];
    Part part{std::move((*tensors)[i]), wish != nullptr ? wish->binary : call.binary_default};
    if (wish != nullptr && wish->object) INFINIEDGE_TRY(write_shared(*wish, part));
    if (!part.binary && !part.shared && only_binary(part.tensor.type)) {
      return Error{Code::Invalid, fmt::format("output '{}' is {}, which has no JSON form; ask for "
                                              "it with \"binary_data\": true",
                                              part.tensor.name, to_string(part.tensor.type))};
    }
    out.push_back(std::move(part));
  }
  return out;
}

/// `outputs` of the response; names tensors with numbers that are not finite.
std::string outputs_json(const std::vector<Part>& parts, std::string& nonfinite) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out.push_back(',');
    append_head(out, part.tensor);
    if (part.shared) {
      out.push_back('}');
      continue;
    }
    if (part.binary) {
      out.append(",\"parameters\":{\"binary_data_size\":");
      append_number(out, part.tensor.data.size());
      out.append("}}");
      continue;
    }
    out.append(",\"data\":[");
    if (!append_data(out, part.tensor)) {
      if (!nonfinite.empty()) nonfinite.push_back(',');
      nonfinite.append(part.tensor.name);
    }
    out.append("]}");
  }
  return out;
}

std::string head_json(const Call& call, const model::InferResponse& answer,
                      const std::vector<Part>& parts) {
  std::string nonfinite;
  const auto outputs = outputs_json(parts, nonfinite);
  std::string out = "{";
  if (!call.id.empty()) {
    out.append("\"id\":");
    append_json_string(out, call.id);
    out.push_back(',');
  }
  out.append("\"model_name\":");
  append_json_string(out, answer.config->name);
  out.append(",\"model_version\":\"");
  append_number(out, answer.version);
  out.push_back('"');
  if (!nonfinite.empty()) {
    out.append(",\"parameters\":{\"nonfinite\":");
    append_json_string(out, nonfinite);
    out.push_back('}');
  }
  return out.append(",\"outputs\":[").append(outputs).append("]}");
}

}  // namespace

runtime::http::Response write_answer(const Call& call, const model::InferResponse& answer) {
  auto parts = parts_of(call, answer);
  if (!parts) return error_reply(parts.error());
  auto body = head_json(call, answer, *parts);
  bool binary = false;
  std::size_t bytes = 0;
  for (const auto& part : *parts) {
    binary |= part.binary;
    bytes += part.binary ? part.tensor.data.size() : 0;
  }
  if (!binary) return json_reply(std::move(body));
  runtime::http::Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.headers.add("Inference-Header-Content-Length", std::to_string(body.size()));
  body.reserve(body.size() + bytes);
  for (const auto& part : *parts) {
    if (part.binary) body.append(base::as_text(part.tensor.data));
  }
  response.body = std::move(body);
  return response;
}

}  // namespace infiniedge::api::inference
