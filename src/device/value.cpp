// SPDX-License-Identifier: Apache-2.0
#include "device/value.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace infiniedge::device {
namespace {

struct Bounds {
  std::string_view type;
  double low, high;
};

constexpr double kTwo63 = 9223372036854775808.0;
constexpr std::array<Bounds, 8> kIntegers{{{"int8", -128, 127},
                                           {"uint8", 0, 255},
                                           {"int16", -32768, 32767},
                                           {"uint16", 0, 65535},
                                           {"int32", -2147483648.0, 2147483647.0},
                                           {"uint32", 0, 4294967295.0},
                                           {"int64", -kTwo63, kTwo63},
                                           {"uint64", 0, 2 * kTwo63}}};

const Bounds* bounds_of(std::string_view type) {
  for (const auto& bounds : kIntegers) {
    if (bounds.type == type) return &bounds;
  }
  return nullptr;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const auto word : {"true", "True", "TRUE", "on", "On", "ON", "1", "yes"}) {
    if (text == word) return true;
  }
  for (const auto word : {"false", "False", "FALSE", "off", "Off", "OFF", "0", "no"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

/// The whole text as a number: an int64 where it fits exactly, else a double.
std::optional<Value> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t whole = 0;
  const auto* const end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, whole);
      error == std::errc{} && at == end && !text.empty()) {
    return Value{whole};
  }
  double number = 0;
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || at != end || text.empty()) return std::nullopt;
  return Value{number};
}

std::optional<Value> as_number(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return parse_number(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return Value{std::int64_t{*flag ? 1 : 0}};
  if (value.index() == 0) return std::nullopt;
  return value;
}

double to_double(const Value& number) {
  if (const auto* whole = std::get_if<std::int64_t>(&number)) return static_cast<double>(*whole);
  return std::get<double>(number);
}

/// A whole number within the type, or the reason why not.
std::string_view misfit(const Bounds& bounds, const Value& number) {
  if (const auto* real = std::get_if<double>(&number)) {
    if (!std::isfinite(*real) || *real != std::trunc(*real)) return kBadDecodingError;
  }
  const double x = to_double(number);
  return x < bounds.low || x > bounds.high ? kBadOutOfRange : std::string_view{};
}

Cell convert_number(const Point& point, const Value& raw) {
  auto number = as_number(raw);
  if (!number) return Cell::bad(kBadDecodingError);
  if (const auto* bounds = bounds_of(point.type)) {
    if (const auto why = misfit(*bounds, *number); !why.empty()) return Cell::bad(why);
  }
  const bool scaled = point.scale != 1 || point.offset != 0;
  if (scaled) number = Value{to_double(*number) * point.scale + point.offset};
  if (point.type == "float32" && !scaled) {
    number = Value{static_cast<double>(static_cast<float>(to_double(*number)))};
  }
  return {std::move(*number)};
}

Cell convert_bool(const Value& raw) {
  if (const auto* text = std::get_if<std::string>(&raw)) {
    const auto flag = parse_bool(trim(*text));
    return flag ? Cell{Value{*flag}} : Cell::bad(kBadDecodingError);
  }
  if (const auto* whole = std::get_if<std::int64_t>(&raw)) return {Value{*whole != 0}};
  if (const auto* real = std::get_if<double>(&raw)) return {Value{*real != 0}};
  return {raw};
}

Cell convert_text(Value raw, bool utf8) {
  if (!std::holds_alternative<std::string>(raw)) raw = Value{to_json(raw, "string")};
  const auto& text = std::get<std::string>(raw);
  if (utf8 && !simdjson::validate_utf8(text.data(), text.size())) {
    return Cell::bad(kBadDecodingError);
  }
  return {std::move(raw)};
}

}  // namespace

std::string base64(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP ends it with a NUL.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.pop_back();
  return out;
}

bool is_integer_type(std::string_view type) { return bounds_of(type) != nullptr; }

bool is_number_type(std::string_view type) {
  return is_integer_type(type) || type == "float32" || type == "float64";
}

Cell convert(const Point& point, Cell raw) {
  if (raw.value.index() == 0) return raw;
  Cell out;
  if (is_number_type(point.type)) {
    out = convert_number(point, raw.value);
  } else if (point.type == "bool") {
    out = convert_bool(raw.value);
  } else {
    out = convert_text(std::move(raw.value), point.type == "string");
  }
  if (out.quality == Quality::Good) {
    out.quality = raw.quality;
    out.reason = raw.reason;
  }
  return out;
}

Result<Value> unconvert(const Point& point, std::string_view value) {
  if (point.type == "string" || point.type == "bytes") return Value{std::string{value}};
  if (point.type == "bool") {
    if (const auto flag = parse_bool(trim(value))) return Value{*flag};
    return Error{Code::Invalid, fmt::format("\"{}\" is not a bool: point {} takes true or false",
                                            value, point.name)};
  }
  auto number = parse_number(value);
  if (!number || !std::isfinite(to_double(*number))) {
    return Error{Code::Invalid, fmt::format("\"{}\" is not a number: point {} is a {}", value,
                                            point.name, point.type)};
  }
  if (point.scale != 1 || point.offset != 0) {
    number = Value{(to_double(*number) - point.offset) / point.scale};
  }
  const auto* bounds = bounds_of(point.type);
  if (bounds == nullptr) return std::move(*number);
  // What a person wrote in units lands on the nearest raw step: 12.3 / 0.1 is not quite 123.
  if (const auto* real = std::get_if<double>(&*number)) number = Value{std::round(*real)};
  if (!misfit(*bounds, *number).empty()) {
    return Error{Code::Invalid, fmt::format("{} does not fit point {}, whose raw value is a {}",
                                            value, point.name, point.type)};
  }
  if (const auto* real = std::get_if<double>(&*number); real && *real < kTwo63 && *real >= -kTwo63)
    number = Value{static_cast<std::int64_t>(*real)};
  return std::move(*number);
}

std::string to_json(const Value& value, std::string_view point_type) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&value)) {
    return std::isfinite(*real) ? fmt::format("{}", *real) : "null";
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return "null";
  return boost::json::serialize(boost::json::value(point_type == "bytes" ? base64(*text) : *text));
}

}  // namespace infiniedge::device
