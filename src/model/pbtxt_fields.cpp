// SPDX-License-Identifier: Apache-2.0
#include "model/pbtxt_fields.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/suggest.hpp"

namespace infiniedge::model::pbtxt {
namespace {

constexpr std::string_view kTypes[] = {"TYPE_INVALID", "TYPE_BOOL",   "TYPE_UINT8", "TYPE_UINT16",
                                       "TYPE_UINT32",  "TYPE_UINT64", "TYPE_INT8",  "TYPE_INT16",
                                       "TYPE_INT32",   "TYPE_INT64",  "TYPE_FP16",  "TYPE_FP32",
                                       "TYPE_FP64",    "TYPE_STRING", "TYPE_BF16"};

/// The name in protobuf's own spelling.
std::string proto_name(const Context& context, const std::string& name) {
  if (context.form == Context::Form::Text) return name;
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper) out.push_back('_');
    out.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

/// A number, or in JSON also a string that holds one.
bool may_be_number(const Context& context, const PbValue& value) {
  return value.kind == PbValue::Kind::Number ||
         (context.form == Context::Form::Json && value.kind == PbValue::Kind::String);
}

template <class T>
bool parse_whole(const std::string& text, T& out) {
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stop == end;
}

std::string hint(const std::optional<std::string>& near) {
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

/// The two fields of a map's entry in the text format.
Result<void> read_entry(const Context& context, const PbField& field, std::string& key,
                        const PbField*& value) {
  const Handler keep = [&value](const PbField& inner) -> Result<void> {
    value = &inner;
    return {};
  };
  const Handler read_key = [&](const PbField& inner) -> Result<void> {
    if (inner.value.kind == PbValue::Kind::Message) {
      return context.error(inner.value.at, "a key is a string or a number");
    }
    key = inner.value.text;
    return {};
  };
  INFINIEDGE_TRY(
      each(context, field.value.fields, field.name, {{"key", read_key}, {"value", keep}}));
  if (value != nullptr) return {};
  return context.error(field.at, fmt::format("an entry of '{}' needs key and value", field.name));
}

}  // namespace

Result<void> each(const Context& context, const std::vector<PbField>& fields,
                  std::string_view message, const std::vector<Known>& known) {
  for (const auto& field : fields) {
    const auto name = proto_name(context, field.name);
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.name == name; });
    if (found != known.end()) {
      INFINIEDGE_TRY(found->handle(field));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : known) names.emplace_back(k.name);
    return context.error(field.at, fmt::format("unknown field '{}' in {}{}", field.name, message,
                                               hint(base::suggest(field.name, names))));
  }
  return {};
}

Result<std::int64_t> integer_of(const Context& context, const PbField& field, std::int64_t low,
                                std::int64_t high) {
  std::int64_t value = 0;
  if (!may_be_number(context, field.value) || !parse_whole(field.value.text, value) ||
      value < low || value > high) {
    return context.error(field.value.at,
                         fmt::format("'{}' takes an integer from {} to {}", field.name, low, high));
  }
  return value;
}

Result<int> enum_of(const Context& context, const PbField& field,
                    std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (field.value.text == names[i] || field.value.text == std::to_string(i)) {
      return static_cast<int>(i);
    }
  }
  std::vector<std::string> all(names.begin(), names.end());
  return context.error(field.value.at,
                       fmt::format("'{}' is not a value of '{}'{}", field.value.text, field.name,
                                   hint(base::suggest(field.value.text, all))));
}

Handler data_type(const Context& context, DataType& out) {
  return [&context, &out](const PbField& field) -> Result<void> {
    auto index = enum_of(context, field, kTypes);
    if (!index) return std::move(index).error();
    if (*index == 0) return context.error(field.value.at, "a tensor cannot be TYPE_INVALID");
    const auto name = kTypes[*index].substr(5);
    out = name == "STRING" ? DataType::Bytes : *data_type_from(name);
    return {};
  };
}

Handler number(const Context& context, std::function<void(double)> set) {
  return [&context, set = std::move(set)](const PbField& field) -> Result<void> {
    double value = 0;
    if (!may_be_number(context, field.value) || !parse_whole(field.value.text, value)) {
      return context.error(field.value.at, fmt::format("'{}' takes a number", field.name));
    }
    set(value);
    return {};
  };
}

Handler text(const Context& context, std::string& out) {
  return [&context, &out](const PbField& field) -> Result<void> {
    if (field.value.kind != PbValue::Kind::String) {
      return context.error(field.value.at, fmt::format("'{}' takes a quoted string", field.name));
    }
    out = field.value.text;
    return {};
  };
}

Handler boolean(const Context& context, std::function<void(bool)> set) {
  return [&context, set = std::move(set)](const PbField& field) -> Result<void> {
    const auto& word = field.value.text;
    const bool yes = word == "true" || word == "1" || word == "t" || word == "True";
    const bool no = word == "false" || word == "0" || word == "f" || word == "False";
    const bool quoted =
        field.value.kind == PbValue::Kind::String && context.form == Context::Form::Text;
    if (quoted || (!yes && !no)) {
      return context.error(field.value.at, fmt::format("'{}' takes true or false", field.name));
    }
    set(yes);
    return {};
  };
}

Handler message(const Context& context, std::function<Result<void>(const PbValue&)> read) {
  return [&context, read = std::move(read)](const PbField& field) -> Result<void> {
    if (field.value.kind != PbValue::Kind::Message) {
      return context.error(field.value.at,
                           fmt::format("'{}' takes a message: {{ … }}", field.name));
    }
    return read(field.value);
  };
}

Handler map(const Context& context,
            std::function<Result<void>(const std::string&, const PbField&)> read) {
  return [&context, read = std::move(read)](const PbField& field) -> Result<void> {
    if (field.value.kind != PbValue::Kind::Message) {
      return context.error(field.value.at, fmt::format("'{}' takes keys and values", field.name));
    }
    if (context.form == Context::Form::Json) {
      for (const auto& inner : field.value.fields) INFINIEDGE_TRY(read(inner.name, inner));
      return {};
    }
    std::string key;
    const PbField* value = nullptr;
    INFINIEDGE_TRY(read_entry(context, field, key, value));
    return read(key, *value);
  };
}

Handler ignored(const Context& context, std::string_view why) {
  return [&context, why](const PbField& field) -> Result<void> {
    context.warn(field.at, fmt::format("'{}' is accepted and {}", field.name, why));
    return {};
  };
}

Handler unsupported(const Context& context, std::string_view why) {
  return [&context, why](const PbField& field) -> Result<void> {
    return context.error(field.at, fmt::format("'{}' is not supported: {}", field.name, why),
                         Code::Unsupported);
  };
}

}  // namespace infiniedge::model::pbtxt
