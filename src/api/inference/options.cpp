// SPDX-License-Identifier: Apache-2.0
#include "api/inference/options.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "api/inference/json_read.hpp"

namespace infiniedge::api::inference {
namespace {

using Value = simdjson::ondemand::value;

bool is_null(Value value) { return value.raw_json_token().starts_with("null"); }

/// Nothing if `text` is no base64 with padding.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string out(text.size() / 4 * 3, '\0');
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  if (written < 0) return std::nullopt;
  // OpenSSL counts the padding as zero bytes.
  const auto padding = static_cast<std::size_t>(text.ends_with("==")  ? 2
                                                : text.ends_with("=") ? 1
                                                                      : 0);
  out.resize(static_cast<std::size_t>(written) - padding);
  return out;
}

Result<void> read_load_parameter(const Where& at, std::string_view name, Value value,
                                 LoadOptions& out) {
  if (name == "unload_dependents") {
    auto flag = read_bool(at, value);
    if (!flag) return std::move(flag).error();
    out.unload_dependents = *flag;
  } else if (name == "config") {
    auto text = read_string(at, value);
    if (!text) return std::move(text).error();
    out.given.config = std::move(*text);
  } else if (name.starts_with("file:")) {
    auto text = read_string(at, value);
    if (!text) return std::move(text).error();
    auto content = from_base64(*text);
    if (!content) return json_error(at, "expected base64 with padding");
    out.given.files[std::string{name.substr(5)}] = std::move(*content);
  }
  return {};
}

/// A string, a number as it is written, true or false.
Result<std::string> read_scalar(const Where& where, Value value) {
  const auto token = value.raw_json_token();
  if (token.starts_with('"')) return read_string(where, value);
  if (token.empty() || token[0] == '[' || token[0] == '{' || is_null(value)) {
    return json_error(where, "expected a string or a number");
  }
  std::string out{token};
  out.erase(std::find_if(out.begin(), out.end(), [](char c) { return c <= ' ' || c == ','; }),
            out.end());
  return out;
}

Result<SettingValues> read_setting(const Where& where, Value value) {
  SettingValues out;
  const auto take = [&out](const Where& at, Value element) -> Result<void> {
    auto text = read_scalar(at, element);
    if (!text) return std::move(text).error();
    out.push_back(std::move(*text));
    return {};
  };
  if (value.raw_json_token().starts_with('[')) {
    INFINIEDGE_TRY(each_element(where, value, take));
  } else {
    INFINIEDGE_TRY(take(where, value));
  }
  return out;
}

Result<void> read_log_flag(const Where& where, Value value, std::optional<bool>& out) {
  auto flag = read_bool(where, value);
  if (!flag) return std::move(flag).error();
  out = *flag;
  return {};
}

Result<void> read_log_text(const Where& where, Value value, std::optional<std::string>& out) {
  auto text = read_string(where, value);
  if (!text) return std::move(text).error();
  out = std::move(*text);
  return {};
}

Result<void> read_size(const Where& where, Value value, std::uint64_t& out) {
  auto number = read_unsigned(where, value);
  if (!number) return std::move(number).error();
  out = *number;
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
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (key != "parameters") return {};
        auto parameters = read_object(where, value);
        if (!parameters) return std::move(parameters).error();
        return each_member(where, *parameters,
                           [&](const Where& at, std::string_view name, Value v) {
                             return read_load_parameter(at, name, v, out);
                           });
      }));
  if (out.given.files.empty() || out.given.config) return out;
  return Error{Code::Invalid, "parameters: file: overrides need a `config` beside them"};
}

Result<SharedRegion> read_region(std::string name, const std::string& body) {
  SharedRegion out{.name = std::move(name)};
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (key == "offset") return read_size(where, value, out.offset);
        if (key == "byte_size") return read_size(where, value, out.byte_size);
        if (key != "key") return {};
        auto text = read_string(where, value);
        if (!text) return std::move(text).error();
        out.key = std::move(*text);
        return {};
      }));
  if (!out.key.empty() && out.byte_size > 0) return out;
  return Error{Code::Invalid,
               fmt::format("registering shared memory region '{}' needs `key` and a `byte_size` of "
                           "at least 1",
                           out.name)};
}

Result<TraceSettings::Update> read_trace_update(const std::string& body) {
  TraceSettings::Update out;
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (!TraceSettings::known(key)) return {};
        auto& setting = out[std::string{key}];
        setting.reset();
        if (is_null(value)) return {};
        auto values = read_setting(where, value);
        if (!values) return std::move(values).error();
        setting = std::move(*values);
        return {};
      }));
  return out;
}

Result<LogSettings> read_log_settings(const std::string& body) {
  LogSettings out;
  INFINIEDGE_TRY(
      read_body(body, [&](const Where& where, std::string_view key, Value value) -> Result<void> {
        if (key == "log_info") return read_log_flag(where, value, out.log_info);
        if (key == "log_warning") return read_log_flag(where, value, out.log_warning);
        if (key == "log_error") return read_log_flag(where, value, out.log_error);
        if (key == "log_file") return read_log_text(where, value, out.log_file);
        if (key == "log_format") return read_log_text(where, value, out.log_format);
        if (key != "log_verbose_level") return {};
        std::uint64_t level = 0;
        INFINIEDGE_TRY(read_size(where, value, level));
        if (level > std::numeric_limits<std::uint32_t>::max()) {
          return json_error(where, "the level is too large");
        }
        out.log_verbose_level = static_cast<std::uint32_t>(level);
        return {};
      }));
  return out;
}

}  // namespace infiniedge::api::inference
