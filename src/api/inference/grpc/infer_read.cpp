// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/infer_read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "api/inference/call_parameter.hpp"
#include "api/inference/grpc/parameter.hpp"
#include "api/inference/grpc/wire.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

/// No model has more; a message of empty tensors would fill the memory.
constexpr std::size_t kMaxTensors = 1024;
constexpr std::size_t kMaxRank = 32;

struct RawInput {
  Tensor tensor;
  std::optional<std::string_view> contents{};
  std::string datatype{};
  std::optional<SharedSlice> shared{};
};

Error too_many(std::string_view what) {
  return {Code::Invalid, fmt::format("more than {} {}", kMaxTensors, what)};
}

Result<void> add_dimension(std::int64_t dim, Tensor& tensor) {
  if (dim < 0) {
    return Error{Code::Invalid,
                 fmt::format("input '{}': a dimension cannot be negative", tensor.name)};
  }
  if (tensor.shape.size() >= kMaxRank) {
    return Error{Code::Invalid,
                 fmt::format("input '{}': more than {} dimensions", tensor.name, kMaxRank)};
  }
  tensor.shape.push_back(dim);
  return {};
}

Result<void> read_shape(const Field& field, Tensor& tensor) {
  if (field.type == WireType::Varint) return add_dimension(field.integer(), tensor);
  auto packed = field.bytes;
  while (!packed.empty()) {
    const auto dim = take_varint(packed);
    if (!dim) return Error{Code::Invalid, "a shape is cut short"};
    INFINIEDGE_TRY(add_dimension(static_cast<std::int64_t>(*dim), tensor));
  }
  return {};
}

Result<void> read_input_field(const Field& field, RawInput& input) {
  switch (field.number) {
    case 1: {
      auto name = read_text(field, "an input's name");
      if (!name) return std::move(name).error();
      input.tensor.name = std::move(*name);
      return {};
    }
    case 2: {
      auto name = read_text(field, "an input's datatype");
      if (!name) return std::move(name).error();
      input.datatype = std::move(*name);
      return {};
    }
    case 3:
      return read_shape(field, input.tensor);
    case 4: {
      auto parameter = read_parameter(field);
      if (!parameter) return std::move(parameter).error();
      if (!parameter->name.starts_with("shared_memory")) return {};
      return read_slice(*parameter, input.shared);
    }
    case 5:
      if (input.contents) return Error{Code::Invalid, "an input has contents twice"};
      input.contents = field.bytes;
      return {};
    default:
      return {};
  }
}

Result<RawInput> read_input(std::string_view message) {
  RawInput input;
  INFINIEDGE_TRY(each_field(message, [&](const Field& f) { return read_input_field(f, input); }));
  if (input.tensor.name.empty()) return Error{Code::Invalid, "an input needs a name"};
  const auto type = data_type_from(input.datatype);
  if (!type) {
    return Error{Code::Invalid, fmt::format("input '{}': '{}' is no data type of the protocol",
                                            input.tensor.name, input.datatype)};
  }
  input.tensor.type = *type;
  return input;
}

Result<void> read_output_parameter(const Parameter& parameter, OutputWish& wish) {
  if (parameter.name.starts_with("shared_memory")) return read_slice(parameter, wish.shared);
  if (parameter.name != "classification") return {};
  const auto count = parameter.integer();
  if (!count || *count < 1) {
    return Error{Code::Invalid, fmt::format("output '{}': classification takes the number of "
                                            "classes, at least 1",
                                            wish.name)};
  }
  wish.classes = *count;
  return {};
}

Result<OutputWish> read_output(std::string_view message) {
  OutputWish wish{.name = {}, .binary = true};
  INFINIEDGE_TRY(each_field(message, [&](const Field& field) -> Result<void> {
    if (field.number == 1) {
      auto name = read_text(field, "an output's name");
      if (!name) return std::move(name).error();
      wish.name = std::move(*name);
    } else if (field.number == 2) {
      auto parameter = read_parameter(field);
      if (!parameter) return std::move(parameter).error();
      return read_output_parameter(*parameter, wish);
    }
    return {};
  }));
  if (wish.name.empty()) return Error{Code::Invalid, "an output needs a name"};
  if (wish.shared && wish.shared->region.empty()) {
    return Error{Code::Invalid, fmt::format("output '{}' needs shared_memory_region", wish.name)};
  }
  if (wish.shared && wish.classes > 0) {
    return Error{Code::Invalid, fmt::format("output '{}': classes cannot be written to shared "
                                            "memory",
                                            wish.name)};
  }
  return wish;
}

/// What stands at the top of a request.
struct RawRequest {
  Call call{};
  std::vector<RawInput> inputs{};
  std::vector<std::string_view> raw{};
};

Result<void> read_text_into(const Field& field, std::string_view what, std::string& out) {
  auto text = read_text(field, what);
  if (!text) return std::move(text).error();
  out = std::move(*text);
  return {};
}

Result<void> read_request_field(const Field& field, RawRequest& out) {
  auto& request = out.call.request;
  switch (field.number) {
    case 1:
      return read_text_into(field, "model_name", request.model);
    case 2:
      return read_text_into(field, "model_version", request.version);
    case 3:
      return read_text_into(field, "id", out.call.id);
    case 4: {
      auto parameter = read_parameter(field);
      if (!parameter) return std::move(parameter).error();
      return read_call_parameter(*parameter, out.call);
    }
    case 5: {
      if (out.inputs.size() >= kMaxTensors) return too_many("inputs");
      auto input = read_input(field.bytes);
      if (!input) return std::move(input).error();
      out.inputs.push_back(std::move(*input));
      return {};
    }
    case 6: {
      if (out.call.outputs.size() >= kMaxTensors) return too_many("outputs");
      auto wish = read_output(field.bytes);
      if (!wish) return std::move(wish).error();
      request.outputs.push_back(wish->name);
      out.call.outputs.push_back(std::move(*wish));
      return {};
    }
    case 7:
      if (out.raw.size() >= kMaxTensors) return too_many("raw_input_contents");
      out.raw.push_back(field.bytes);
      return {};
    default:
      return {};
  }
}

Result<void> give_raw(const RawInput& input, std::string_view bytes, const rpc::Message& message,
                      Tensor& tensor) {
  if (input.contents) {
    return Error{Code::Invalid, fmt::format("contents field must not be specified when using "
                                            "raw_input_contents for '{}'",
                                            tensor.name)};
  }
  tensor.data = base::as_bytes(bytes);
  tensor.owner = message;
  return {};
}

Result<void> note_shared(RawInput& input, Call& call) {
  if (input.shared->region.empty() || input.contents) {
    return Error{Code::Invalid, fmt::format("input '{}' needs shared_memory_region, and no "
                                            "contents beside it",
                                            input.tensor.name)};
  }
  call.shared_inputs.push_back(
      {.at = call.request.inputs.size(), .slice = std::move(*input.shared)});
  return {};
}

/// Gives every input its bytes: from shared memory, raw where they lie, or from its contents.
Result<void> give_bytes(RawRequest& raw, const rpc::Message& message) {
  const auto own = static_cast<std::size_t>(std::count_if(
      raw.inputs.begin(), raw.inputs.end(), [](const RawInput& input) { return !input.shared; }));
  if (!raw.raw.empty() && raw.raw.size() != own) {
    return Error{Code::Invalid,
                 fmt::format("expected {} raw_input_contents, one for each input that is not in "
                             "shared memory; got {}",
                             own, raw.raw.size())};
  }
  std::size_t next = 0;
  for (auto& input : raw.inputs) {
    if (input.shared) {
      INFINIEDGE_TRY(note_shared(input, raw.call));
    } else if (raw.raw.empty()) {
      INFINIEDGE_TRY(read_contents(input.contents.value_or(std::string_view{}), input.tensor));
    } else {
      INFINIEDGE_TRY(give_raw(input, raw.raw[next++], message, input.tensor));
    }
    raw.call.request.inputs.push_back(std::move(input.tensor));
  }
  return {};
}

}  // namespace

Result<void> check_version(std::string_view version) {
  if (std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return {};
  }
  return Error{Code::Invalid, fmt::format("failed to get model version from specified version "
                                          "string '{}': it must be empty or a number",
                                          version)};
}

Result<Call> read_infer(const rpc::Message& message) {
  RawRequest raw;
  INFINIEDGE_TRY(
      each_field(*message, [&](const Field& field) { return read_request_field(field, raw); }));
  INFINIEDGE_TRY(check_version(raw.call.request.version));
  INFINIEDGE_TRY(give_bytes(raw, message));
  settle_sequence(raw.call);
  return std::move(raw.call);
}

}  // namespace infiniedge::api::inference::grpc
