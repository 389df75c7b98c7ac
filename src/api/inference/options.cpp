// SPDX-License-Identifier: Apache-2.0
#include "api/inference/options.hpp"

#include "api/inference/json_read.hpp"

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

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

}  // namespace

Result<IndexOptions> read_index_options(const std::string& body) {
  IndexOptions out;
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (key != "ready") return {};
        auto ready = read_bool(where, value);
        if (!ready) return std::move(ready).error();
        out.ready = *ready;
        return {};
      }));
  return out;
}

Result<LoadOptions> read_load_options(const std::string& body) {
  LoadOptions out;
  const auto parameter = [&](const Where& at, std::string_view name, Value value) -> Result<void> {
    if (name == "unload_dependents") {
      auto flag = read_bool(at, value);
      if (!flag) return std::move(flag).error();
      out.unload_dependents = *flag;
    }
    if (name != "config" && !name.starts_with("file:")) return {};
    return Error{Code::Unsupported,
                 fmt::format("{}: overrides are not supported; put the files into the repository",
                             at.path())};
  };
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (key != "parameters") return {};
        auto parameters = read_object(where, value);
        if (!parameters) return std::move(parameters).error();
        return each_member(where, *parameters, parameter);
      }));
  return out;
}

}  // namespace infiniedge::api::inference
