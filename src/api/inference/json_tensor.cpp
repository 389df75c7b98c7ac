// SPDX-License-Identifier: Apache-2.0
#include "api/inference/json_tensor.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "base/bytes.hpp"
#include "model/request.hpp"

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

constexpr int kMaxDepth = 100;

/// The words that are no JSON but what programs print for these numbers.
std::optional<double> non_finite(Value& value) {
  auto token = value.raw_json_token();
  const auto first = token.empty() ? '\0' : token.front();
  if (first != 'N' && first != 'I' && first != '-') return std::nullopt;
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t')) {
    token.remove_suffix(1);
  }
  if (token == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (token == "Infinity") return std::numeric_limits<double>::infinity();
  if (token == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

Result<double> read_number(const Where& where, Value value) {
  const auto word = non_finite(value);
  if (word) return *word;
  double number = 0;
  if (const auto error = value.get_double().get(number)) {
    return json_error(where, error, "expected a number");
  }
  return number;
}

template <class T>
Result<void> put_signed(const Where& where, Value value, std::string& out) {
  std::int64_t number = 0;
  constexpr auto kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  const auto error = value.get_int64().get(number);
  if (error || number < kLow || number > kHigh) {
    return json_error(where, error ? error : simdjson::NUMBER_OUT_OF_RANGE,
                      fmt::format("expected an integer from {} to {}", kLow, kHigh));
  }
  base::put(out, static_cast<T>(number));
  return {};
}

template <class T>
Result<void> put_unsigned(const Where& where, Value value, std::string& out) {
  std::uint64_t number = 0;
  constexpr auto kHigh = std::numeric_limits<T>::max();
  const auto error = value.get_uint64().get(number);
  if (error || number > kHigh) {
    return json_error(where, error ? error : simdjson::NUMBER_OUT_OF_RANGE,
                      fmt::format("expected an integer from 0 to {}", kHigh));
  }
  base::put(out, static_cast<T>(number));
  return {};
}

Result<void> put_float(const Where& where, Value value, std::string& out) {
  auto number = read_number(where, value);
  if (!number) return std::move(number).error();
  if (std::isfinite(*number) && std::abs(*number) > std::numeric_limits<float>::max()) {
    return json_error(where, "the number is too large for FP32");
  }
  base::put(out, static_cast<float>(*number));
  return {};
}

Result<void> put_double(const Where& where, Value value, std::string& out) {
  auto number = read_number(where, value);
  if (!number) return std::move(number).error();
  base::put(out, *number);
  return {};
}

Result<void> put_bool(const Where& where, Value value, std::string& out) {
  auto flag = read_bool(where, value);
  if (!flag) return std::move(flag).error();
  base::put(out, static_cast<std::uint8_t>(*flag ? 1 : 0));
  return {};
}

Result<void> put_text(const Where& where, Value value, std::string& out) {
  std::string_view text;
  if (const auto error = value.get_string().get(text)) {
    return json_error(where, error, "expected a string");
  }
  base::put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
  return {};
}

using Put = Result<void> (*)(const Where&, Value, std::string&);

Put put_for(DataType type) {
  switch (type) {
    case DataType::Bool:
      return put_bool;
    case DataType::Uint8:
      return put_unsigned<std::uint8_t>;
    case DataType::Uint16:
      return put_unsigned<std::uint16_t>;
    case DataType::Uint32:
      return put_unsigned<std::uint32_t>;
    case DataType::Uint64:
      return put_unsigned<std::uint64_t>;
    case DataType::Int8:
      return put_signed<std::int8_t>;
    case DataType::Int16:
      return put_signed<std::int16_t>;
    case DataType::Int32:
      return put_signed<std::int32_t>;
    case DataType::Int64:
      return put_signed<std::int64_t>;
    case DataType::Fp32:
      return put_float;
    case DataType::Fp64:
      return put_double;
    case DataType::Bytes:
      return put_text;
    case DataType::Fp16:
    case DataType::Bf16:
      return nullptr;
  }
  return nullptr;
}

/// Elements in order, whatever the nesting says; the shape decides.
struct Flattener {
  Put put;
  std::int64_t limit;
  std::int64_t count = 0;
  std::string bytes{};

  Result<void> take(const Where& where, Value value, int depth) {
    if (depth > kMaxDepth) return json_error(where, "nested deeper than 100");
    if (value.raw_json_token().starts_with('[')) {
      return each_element(where, value, [this, depth](const Where& here, Value inner) {
        return take(here, inner, depth + 1);
      });
    }
    if (++count > limit) {
      return json_error(where, fmt::format("more elements than the shape has ({})", limit));
    }
    return put(where, value, bytes);
  }
};

}  // namespace

Result<void> read_data(const Where& where, Value value, Tensor& tensor) {
  const auto elements = model::element_count(tensor.shape);
  if (!elements) return json_error(where, "the shape is negative or too large");
  Flattener flattener{put_for(tensor.type), *elements};
  if (flattener.put == nullptr) {
    return json_error(where, fmt::format("{} has no JSON form; send it as a binary tensor",
                                         to_string(tensor.type)));
  }
  INFINIEDGE_TRY(flattener.take(where, value, 0));
  if (flattener.count != *elements) {
    return json_error(
        where, fmt::format("{} elements given, the shape has {}", flattener.count, *elements));
  }
  auto owner = std::make_shared<const std::string>(std::move(flattener.bytes));
  tensor.data = base::as_bytes(*owner);
  tensor.owner = std::move(owner);
  return {};
}

}  // namespace infiniedge::api::inference
