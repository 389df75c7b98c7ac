// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/parameter.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>

namespace infiniedge::api::inference::grpc {
namespace {

void read_value(const Field& field, Parameter& out) {
  const bool varint = field.type == WireType::Varint;
  if (field.number == 1 && varint) out.value = field.flag();
  if (field.number == 2 && varint) out.value = field.integer();
  if (field.number == 3 && field.type == WireType::Bytes) out.value = field.bytes;
  // ModelRepositoryParameter has its bytes where InferParameter has its double.
  if (field.number == 4 && field.type == WireType::Bytes) out.value = field.bytes;
  if (field.number == 4 && field.type == WireType::Fixed64) {
    out.value = std::bit_cast<double>(field.value);
  }
  if (field.number == 5 && varint) out.value = field.value;
}

}  // namespace

std::optional<std::int64_t> Parameter::integer() const {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr || *number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

Result<Parameter> read_parameter(const Field& entry) {
  Parameter out;
  if (entry.type != WireType::Bytes) {
    return Error{Code::Invalid, "parameters hold something that is no entry"};
  }
  INFINIEDGE_TRY(each_field(entry.bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.name = field.bytes;
    if (field.number != 2) return {};
    return each_field(field.bytes, [&](const Field& choice) -> Result<void> {
      read_value(choice, out);
      return {};
    });
  }));
  return out;
}

namespace {

/// sequence_id (a number or text; 0 and "" are none), sequence_start, sequence_end.
Result<void> read_sequence(const Parameter& parameter, Call& call) {
  auto& sequence = call.sequence;
  if (parameter.name != "sequence_id") {
    const auto* flag = std::get_if<bool>(&parameter.value);
    if (flag == nullptr) {
      return Error{Code::Invalid, fmt::format("parameter '{}' takes a bool", parameter.name)};
    }
    (parameter.name == "sequence_start" ? sequence.start : sequence.end) = *flag;
  } else if (const auto* name = std::get_if<std::string_view>(&parameter.value)) {
    sequence.id = std::string{*name};
  } else if (const auto* number = std::get_if<std::uint64_t>(&parameter.value)) {
    sequence.id = *number;
  } else if (const auto* integer = std::get_if<std::int64_t>(&parameter.value)) {
    sequence.id = static_cast<std::uint64_t>(*integer);
  } else {
    return Error{Code::Invalid, "parameter 'sequence_id' takes an integer or text"};
  }
  return {};
}

}  // namespace

Result<void> read_slice(const Parameter& parameter, std::optional<SharedSlice>& slice) {
  if (!slice) slice.emplace();
  if (parameter.name == "shared_memory_region") {
    const auto* name = std::get_if<std::string_view>(&parameter.value);
    if (name == nullptr) return Error{Code::Invalid, "shared_memory_region takes a name"};
    slice->region = std::string{*name};
    return {};
  }
  const auto number = parameter.integer();
  if (!number || *number < 0) {
    return Error{Code::Invalid, fmt::format("{} takes a number of bytes", parameter.name)};
  }
  if (parameter.name == "shared_memory_byte_size") {
    slice->byte_size = static_cast<std::uint64_t>(*number);
  } else if (parameter.name == "shared_memory_offset") {
    slice->offset = static_cast<std::uint64_t>(*number);
  }
  return {};
}

Result<void> read_call_parameter(const Parameter& parameter, Call& call) {
  // The C++ client sends this one with every request.
  if (parameter.name == "triton_enable_empty_final_response") return {};
  if (parameter.name.starts_with("triton_")) {
    return Error{
        Code::Invalid,
        fmt::format("parameter '{}': names that start with triton_ are reserved", parameter.name)};
  }
  if (parameter.name == "timeout") {
    const auto timeout = parameter.integer();
    if (!timeout || *timeout < 0) {
      return Error{Code::Invalid, "parameter 'timeout' takes a number of microseconds"};
    }
    if (*timeout > 0) call.request.timeout = Micros{*timeout};
  } else if (parameter.name == "priority") {
    const auto level = parameter.integer().value_or(0);
    const bool fits = level > 0 && level <= std::numeric_limits<std::uint32_t>::max();
    call.request.priority = fits ? static_cast<std::uint32_t>(level) : 0;
  } else if (parameter.name == "sequence_id" || parameter.name == "sequence_start" ||
             parameter.name == "sequence_end") {
    return read_sequence(parameter, call);
  }
  return {};
}

}  // namespace infiniedge::api::inference::grpc
