// SPDX-License-Identifier: Apache-2.0
#include "api/inference/call_parameter.hpp"

#include <limits>

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

/// sequence_id (a number or a string; 0 and "" are none), sequence_start, sequence_end.
Result<void> read_sequence(const Where& here, std::string_view word, Value v, Call& call) {
  auto& sequence = call.sequence;
  if (word == "start" || word == "end") {
    auto flag = read_bool(here, v);
    if (!flag) return std::move(flag).error();
    (word == "start" ? sequence.start : sequence.end) = *flag;
  } else if (word == "id" && v.raw_json_token().starts_with('"')) {
    auto name = read_string(here, v);
    if (!name) return std::move(name).error();
    sequence.id = std::move(*name);
  } else if (word == "id") {
    auto number = read_unsigned(here, v);
    if (!number) return std::move(number).error();
    sequence.id = *number;
  }
  return {};
}

}  // namespace

Result<void> read_call_parameter(const Where& here, std::string_view key, Value v, Call& call) {
  if (key.starts_with("triton_")) {
    return json_error(here, "names that start with triton_ are reserved");
  }
  if (key == "binary_data_output") {
    auto flag = read_bool(here, v);
    if (!flag) return std::move(flag).error();
    call.binary_default = *flag;
  } else if (key == "timeout") {
    auto timeout = read_integer(here, v);
    if (!timeout) return std::move(timeout).error();
    if (*timeout < 0) return json_error(here, "a timeout cannot be negative");
    if (*timeout > 0) call.request.timeout = Micros{*timeout};
  } else if (key == "priority") {
    // Whatever is out of range means the default, so a number that is too large is none.
    auto level = read_unsigned(here, v);
    if (!level) return std::move(level).error();
    const bool fits = *level <= std::numeric_limits<std::uint32_t>::max();
    call.request.priority = fits ? static_cast<std::uint32_t>(*level) : 0;
  } else if (key.starts_with("sequence_")) {
    return read_sequence(here, key.substr(9), v, call);
  }
  return check_parameter(here, v);
}

Result<void> check_parameter(const Where& here, Value value) {
  const auto token = value.raw_json_token();
  if (!token.starts_with('{') && !token.starts_with('[')) return {};
  return json_error(here, "a parameter is a string, a number, true or false");
}

void settle_sequence(Call& call) {
  if (call.sequence.named()) call.request.sequence = call.sequence;
}

}  // namespace infiniedge::api::inference
