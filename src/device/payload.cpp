// SPDX-License-Identifier: Apache-2.0
#include "device/payload.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <boost/json/stream_parser.hpp>
#include <cstring>

#include "base/bytes.hpp"

namespace infiniedge::device {
namespace {

template <class T>
T load(std::string_view bytes, bool big_endian) {
  std::array<char, sizeof(T)> raw;
  std::copy_n(bytes.data(), sizeof(T), raw.data());
  if (big_endian) std::ranges::reverse(raw);
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

std::size_t width_of(std::string_view type) {
  if (type == "bool" || type == "int8" || type == "uint8") return 1;
  if (type == "int16" || type == "uint16") return 2;
  if (type == "int32" || type == "uint32" || type == "float32") return 4;
  return type == "bytes" || type == "string" ? 0 : 8;
}

Value unsigned_value(std::uint64_t x) {
  if (x <= static_cast<std::uint64_t>(INT64_MAX)) return static_cast<std::int64_t>(x);
  return static_cast<double>(x);
}

template <class T>
Value whole(std::string_view bytes, bool big_endian) {
  return static_cast<std::int64_t>(load<T>(bytes, big_endian));
}

Value number_at(std::string_view bytes, std::string_view type, bool big) {
  if (type == "bool") return bytes[0] != 0;
  if (type == "int8") return whole<std::int8_t>(bytes, big);
  if (type == "uint8") return whole<std::uint8_t>(bytes, big);
  if (type == "int16") return whole<std::int16_t>(bytes, big);
  if (type == "uint16") return whole<std::uint16_t>(bytes, big);
  if (type == "int32") return whole<std::int32_t>(bytes, big);
  if (type == "uint32") return whole<std::uint32_t>(bytes, big);
  if (type == "int64") return whole<std::int64_t>(bytes, big);
  if (type == "uint64") return unsigned_value(load<std::uint64_t>(bytes, big));
  if (type == "float32") return static_cast<double>(load<float>(bytes, big));
  return load<double>(bytes, big);
}

/// "" or /token/token, with ~ only as ~0 and ~1.
bool valid_pointer(std::string_view pointer) {
  if (pointer.empty()) return true;
  if (pointer[0] != '/') return false;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] != '~') continue;
    if (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')) return false;
  }
  return true;
}

std::string checked_pointer(OptionReader& options, std::string_view name) {
  auto pointer = options.text(name);
  if (!valid_pointer(pointer)) {
    options.fail(name, fmt::format("is \"{}\": a JSON pointer begins with \"/\", as in /sensor/0, "
                                   "and writes ~0 for ~ and ~1 for /",
                                   pointer));
  }
  return pointer;
}

/// Byte at which a strict parser gives up; the fast one does not say.
std::size_t fault_position(std::string_view body) {
  boost::json::stream_parser parser;
  boost::system::error_code error;
  const auto consumed = parser.write_some(body.data(), body.size(), error);
  return error ? consumed : body.size();
}

}  // namespace

Extract Extract::value_of(OptionReader& options, const Point& point) {
  const bool binary = options.given("binary.offset") || options.given("binary.type");
  const bool json = options.given("json");
  if (binary && json) options.fail("json", "cannot stand beside binary: choose one");
  if (json) return {.form = Form::Json, .pointer = checked_pointer(options, "json")};
  if (!binary) return {};
  auto type = options.choice("binary.type");
  if (type.empty()) type = point.type;
  return {.form = Form::Binary,
          .offset =
              static_cast<std::size_t>(std::max<std::int64_t>(0, options.integer("binary.offset"))),
          .type = type,
          .big_endian = options.choice("binary.order") == "big"};
}

std::optional<Extract> Extract::time_of(OptionReader& options) {
  if (options.given("time")) {
    return Extract{.form = Form::Json, .pointer = checked_pointer(options, "time")};
  }
  if (!options.given("time.offset")) return std::nullopt;
  return Extract{
      .form = Form::Binary,
      .offset = static_cast<std::size_t>(std::max<std::int64_t>(0, options.integer("time.offset"))),
      .type = "int64"};
}

struct PayloadReader::Json {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
};

PayloadReader::PayloadReader() : json_(std::make_unique<Json>()) {}
PayloadReader::~PayloadReader() = default;

void PayloadReader::begin(std::string_view body) {
  body_ = body;
  parsed_.reset();
}

Result<Value> PayloadReader::read(const Extract& extract) {
  if (extract.form == Extract::Form::Json) return read_json(extract.pointer);
  if (extract.form == Extract::Form::Binary) return read_binary(extract);
  return Value{std::string{body_}};
}

Result<Value> PayloadReader::read_binary(const Extract& extract) const {
  const auto width = width_of(extract.type);
  if (extract.offset > body_.size() || body_.size() - extract.offset < width) {
    return Error{Code::Invalid,
                 fmt::format("the payload ends at byte {}, but a {} was expected at byte {}",
                             body_.size(), extract.type, extract.offset)};
  }
  const auto bytes = body_.substr(extract.offset);
  if (width == 0) return Value{std::string{bytes}};
  return number_at(bytes, extract.type, extract.big_endian);
}

const Result<void>& PayloadReader::parse() {
  if (parsed_) return *parsed_;
  parsed_.emplace();
  const auto error = json_->parser.parse(body_.data(), body_.size()).get(json_->root);
  if (error != simdjson::SUCCESS) {
    parsed_ =
        Error{Code::Invalid, fmt::format("the payload is not JSON at byte {}: {}",
                                         fault_position(body_), simdjson::error_message(error))};
  }
  return *parsed_;
}

Result<Value> PayloadReader::read_json(const std::string& pointer) {
  if (const auto& parsed = parse(); !parsed) return parsed.error();
  simdjson::dom::element element = json_->root;
  if (!pointer.empty() && json_->root.at_pointer(pointer).get(element) != simdjson::SUCCESS) {
    return Error{Code::Invalid, fmt::format("the payload has nothing at {}", pointer)};
  }
  switch (element.type()) {
    case simdjson::dom::element_type::INT64:
      return Value{element.get_int64().value_unsafe()};
    case simdjson::dom::element_type::UINT64:
      return unsigned_value(element.get_uint64().value_unsafe());
    case simdjson::dom::element_type::DOUBLE:
      return Value{element.get_double().value_unsafe()};
    case simdjson::dom::element_type::BOOL:
      return Value{element.get_bool().value_unsafe()};
    case simdjson::dom::element_type::STRING:
      return Value{std::string{element.get_string().value_unsafe()}};
    case simdjson::dom::element_type::NULL_VALUE:
      return Error{Code::Invalid, fmt::format("the payload has null at \"{}\"", pointer)};
    default:
      return Value{simdjson::minify(element)};
  }
}

}  // namespace infiniedge::device
