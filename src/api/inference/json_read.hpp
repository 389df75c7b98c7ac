// SPDX-License-Identifier: Apache-2.0
// Reading JSON on demand, with the path of what is wrong. Included by few .cpp files only: it
// brings simdjson.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

/// Where a value stands in its document; a chain on the stack, put into words on error only.
struct Where {
  const Where* parent = nullptr;
  std::string_view key{};
  std::int64_t index = -1;  ///< ≥ 0: an element.

  std::string path() const {
    const std::string before = parent != nullptr ? parent->path() : "";
    if (index >= 0) return fmt::format("{}[{}]", before, index);
    if (key.empty()) return before;
    return before.empty() ? std::string{key} : fmt::format("{}.{}", before, key);
  }
};

inline Error json_error(const Where& where, std::string_view expected) {
  const auto path = where.path();
  return {Code::Invalid,
          fmt::format("{}: {}", path.empty() ? std::string_view{"request"} : path, expected)};
}

/// A fault of simdjson: of the value where it is one, else of the document.
inline Error json_error(const Where& where, simdjson::error_code code, std::string_view expected) {
  if (code == simdjson::INCORRECT_TYPE || code == simdjson::NUMBER_ERROR ||
      code == simdjson::NUMBER_OUT_OF_RANGE) {
    return json_error(where, expected);
  }
  return json_error(where, fmt::format("not valid JSON: {}", simdjson::error_message(code)));
}

/// Gives every member to `read(key, value)`, which returns Result<void>.
template <class Read>
Result<void> each_member(const Where& where, simdjson::ondemand::object object, Read read) {
  for (auto member : object) {
    simdjson::ondemand::field field;
    if (const auto error = std::move(member).get(field)) {
      return json_error(where, error, "expected an object");
    }
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) {
      return json_error(where, error, "expected a name");
    }
    const std::string name{key};  // The parser reuses its buffer.
    const Where here{&where, name};
    INFINIEDGE_TRY(read(here, std::string_view{name}, field.value()));
  }
  return {};
}

/// Gives every element to `read(where, value)`.
template <class Read>
Result<void> each_element(const Where& where, simdjson::ondemand::value value, Read read) {
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) {
    return json_error(where, error, "expected an array");
  }
  std::int64_t index = 0;
  for (auto element : array) {
    const Where here{&where, {}, index++};
    simdjson::ondemand::value inner;
    if (const auto error = std::move(element).get(inner)) {
      return json_error(here, error, "expected a value");
    }
    INFINIEDGE_TRY(read(here, inner));
  }
  return {};
}

inline Result<simdjson::ondemand::object> read_object(const Where& where,
                                                      simdjson::ondemand::value value) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    return json_error(where, error, "expected an object");
  }
  return object;
}

inline Result<std::string> read_string(const Where& where, simdjson::ondemand::value value) {
  std::string_view text;
  if (const auto error = value.get_string().get(text)) {
    return json_error(where, error, "expected a string");
  }
  return std::string{text};
}

inline Result<std::int64_t> read_integer(const Where& where, simdjson::ondemand::value value) {
  std::int64_t number = 0;
  if (const auto error = value.get_int64().get(number)) {
    return json_error(where, error, "expected an integer");
  }
  return number;
}

inline Result<std::uint64_t> read_unsigned(const Where& where, simdjson::ondemand::value value) {
  std::uint64_t number = 0;
  if (const auto error = value.get_uint64().get(number)) {
    return json_error(where, error, "expected an integer of at least 0");
  }
  return number;
}

inline Result<bool> read_bool(const Where& where, simdjson::ondemand::value value) {
  bool flag = false;
  if (const auto error = value.get_bool().get(flag)) {
    return json_error(where, error, "expected true or false");
  }
  return flag;
}

/// True once nothing but white space is left.
inline bool ended(simdjson::ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

/// Gives the members of the body's object to `read`; an empty body has none.
template <class Read>
Result<void> read_body(const std::string& body, Read read) {
  if (body.empty()) return {};
  const Where root;
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(body);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (const auto error = parser.iterate(padded).get(document)) {
    return json_error(root, error, "expected an object");
  }
  if (const auto error = document.get_object().get(object)) {
    return json_error(root, error, "expected an object");
  }
  INFINIEDGE_TRY(each_member(root, object, read));
  if (!ended(document)) return json_error(root, "something follows the JSON object");
  return {};
}

}  // namespace infiniedge::api::inference
