// SPDX-License-Identifier: Apache-2.0
#include "model/config_json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace infiniedge::model {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kMaxDepth = 32;

/// One pass over a document, which knows where in its text it is.
class Reader {
 public:
  explicit Reader(std::string_view text) : padded_(text) {}

  Result<std::vector<PbField>> read() {
    ondemand::document document;
    if (const auto error = parser_.iterate(padded_).get(document)) return wrong({}, error);
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) return wrong({}, error);
    std::vector<PbField> out;
    INFINIEDGE_TRY(read_object(object, 0, out));
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return fault(place(document.current_location()), "something follows the JSON object");
    }
    return out;
  }

 private:
  static Error fault(Position at, std::string_view what) {
    return {Code::Invalid, fmt::format("{}:{}: {}", at.line, at.column, what)};
  }
  static Error wrong(Position at, simdjson::error_code code) {
    return fault(at, code == simdjson::INCORRECT_TYPE
                         ? "a JSON object is expected"
                         : fmt::format("not valid JSON: {}", simdjson::error_message(code)));
  }

  /// Line and column of a place in the text, counted from where the last one was.
  Position place(simdjson::simdjson_result<const char*> location) {
    const char* to = nullptr;
    if (std::move(location).get(to)) return at_;
    const auto offset = std::min(static_cast<std::size_t>(to - padded_.data()), padded_.size());
    for (; next_ < offset; ++next_) {
      const char c = padded_.data()[next_];
      if (c == '\n') at_ = {at_.line + 1, 0};
      if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++at_.column;
    }
    return at_;
  }

  Result<void> read_object(ondemand::object object, int depth, std::vector<PbField>& out) {
    if (depth > kMaxDepth) {
      return fault(at_, fmt::format("objects are nested deeper than {}", kMaxDepth));
    }
    for (auto member : object) {
      ondemand::field field;
      if (const auto error = std::move(member).get(field)) return wrong(at_, error);
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return wrong(at_, error);
      const std::string name{key};  // The parser reuses its buffer.
      INFINIEDGE_TRY(read_member(name, field.value(), depth, out));
    }
    return {};
  }

  Result<void> read_member(const std::string& name, ondemand::value value, int depth,
                           std::vector<PbField>& out) {
    PbField field{.name = name, .at = place(value.current_location()), .value = {}};
    field.value.at = field.at;
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return wrong(field.at, error);
    if (type == ondemand::json_type::array) {
      if (depth >= kMaxDepth) return fault(field.at, "arrays are nested too deep");
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return wrong(field.at, error);
      for (auto item : array) {
        ondemand::value element;
        if (const auto error = std::move(item).get(element)) return wrong(at_, error);
        INFINIEDGE_TRY(read_member(name, element, depth + 1, out));
      }
      return {};
    }
    if (type == ondemand::json_type::null) {
      if (!value.is_null()) return fault(field.at, "not valid JSON");
      return {};
    }
    INFINIEDGE_TRY(read_scalar(type, value, depth, field.value));
    out.push_back(std::move(field));
    return {};
  }

  Result<void> read_scalar(ondemand::json_type type, ondemand::value value, int depth,
                           PbValue& out) {
    if (type == ondemand::json_type::object) {
      out.kind = PbValue::Kind::Message;
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return wrong(out.at, error);
      return read_object(object, depth + 1, out.fields);
    }
    std::string_view text;
    if (type == ondemand::json_type::string) {
      out.kind = PbValue::Kind::String;
      if (const auto error = value.get_string().get(text)) return wrong(out.at, error);
      out.text = text;
      return {};
    }
    bool flag = false;
    if (type == ondemand::json_type::boolean) {
      if (const auto error = value.get_bool().get(flag)) return wrong(out.at, error);
      out.text = flag ? "true" : "false";
      return {};
    }
    out.kind = PbValue::Kind::Number;
    double number = 0;
    text = value.raw_json_token();
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    out.text = text;
    if (const auto error = value.get_double().get(number)) return wrong(out.at, error);
    return {};
  }

  simdjson::padded_string padded_;
  ondemand::parser parser_;
  std::size_t next_ = 0;
  Position at_;
};

}  // namespace

Result<std::vector<PbField>> parse_json_fields(std::string_view text) {
  return Reader(text).read();
}

}  // namespace infiniedge::model
