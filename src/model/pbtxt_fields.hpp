// SPDX-License-Identifier: Apache-2.0
// What readers of a ModelConfig are made of: one handler a field, and errors with their place.
// Included by .cpp files only.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/tensor.hpp"
#include "model/config.hpp"
#include "model/pbtxt.hpp"

namespace infiniedge::model::pbtxt {

/// Where errors say they are, and where warnings go. Both forms of a ModelConfig have the same
/// fields; they differ in how a map is written and in what may stand between quotes.
struct Context {
  enum class Form { Text, Json };
  const std::string& file;
  std::vector<std::string>& warnings;
  Form form = Form::Text;

  Error error(Position at, std::string_view what, Code code = Code::Invalid) const {
    return {code, fmt::format("{}:{}:{}: {}", file, at.line, at.column, what)};
  }
  void warn(Position at, std::string_view what) const {
    warnings.push_back(fmt::format("{}:{}:{}: {}", file, at.line, at.column, what));
  }
};

using Handler = std::function<Result<void>(const PbField&)>;
struct Known {
  std::string_view name;
  Handler handle;
};

/// Gives every field to its handler; unknown names are errors with a suggestion. JSON's
/// `maxBatchSize` is `max_batch_size`.
Result<void> each(const Context& context, const std::vector<PbField>& fields,
                  std::string_view message, const std::vector<Known>& known);

Result<std::int64_t> integer_of(const Context& context, const PbField& field, std::int64_t low,
                                std::int64_t high);
/// Enum by name or by number.
Result<int> enum_of(const Context& context, const PbField& field,
                    std::span<const std::string_view> names);

// Handlers. They refer to `context` and to what they fill, which outlive them.
Handler text(const Context& context, std::string& out);
Handler boolean(const Context& context, std::function<void(bool)> set);
Handler data_type(const Context& context, DataType& out);
Handler number(const Context& context, std::function<void(double)> set);
Handler message(const Context& context, std::function<Result<void>(const PbValue&)> read);
/// `map<string, …>`: each entry's key and value.
Handler map(const Context& context,
            std::function<Result<void>(const std::string& key, const PbField& value)> read);
Handler ignored(const Context& context, std::string_view why = "has no effect here");
Handler unsupported(const Context& context, std::string_view why);

template <class T>
Handler integer(const Context& context, std::int64_t low, std::int64_t high,
                std::function<void(T)> set) {
  return [&context, low, high, set = std::move(set)](const PbField& field) -> Result<void> {
    auto value = integer_of(context, field, low, high);
    if (!value) return std::move(value).error();
    set(static_cast<T>(*value));
    return {};
  };
}

/// A message read by `read(context, value, target)`.
template <class Target>
Handler into(const Context& context, Result<void> (*read)(const Context&, const PbValue&, Target&),
             Target& target) {
  return message(context, [&context, read, &target](const PbValue& value) {
    return read(context, value, target);
  });
}

/// One more element of a list of messages.
template <class Element>
Handler append(const Context& context,
               Result<void> (*read)(const Context&, const PbValue&, Element&),
               std::vector<Element>& out) {
  return message(context, [&context, read, &out](const PbValue& value) -> Result<void> {
    Element element;
    INFINIEDGE_TRY(read(context, value, element));
    out.push_back(std::move(element));
    return {};
  });
}

}  // namespace infiniedge::model::pbtxt
