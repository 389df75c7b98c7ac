// SPDX-License-Identifier: Apache-2.0
#include "api/openai/problem.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/problem.hpp"

namespace infiniedge::api::openai {
namespace {

namespace json = boost::json;
using runtime::http::Response;

constexpr std::string_view kRetryMs = "1000";

struct Kind {
  int status;
  std::string_view type, code;
};

Kind kind_of(Code code, bool with_credential) {
  switch (code) {
    case Code::Invalid:
    case Code::Stale:
    case Code::Exists:
    case Code::Unsupported:
      return {400, "invalid_request_error", ""};
    case Code::NotFound:
      return {404, "invalid_request_error", "not_found"};
    case Code::Denied:
      if (!with_credential) return {401, "invalid_request_error", "invalid_api_key"};
      return {403, "permission_error", "permission_denied"};
    case Code::Exhausted:
    case Code::Unavailable:
    case Code::Timeout:
    case Code::Cancelled:
      return {503, "server_error", "overloaded"};
    case Code::Corrupt:
    case Code::Internal:
      return {500, "server_error", ""};
  }
  return {500, "server_error", ""};
}

json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::string(text);  // Braces would make an array of it.
}

Response reply(const Kind& kind, std::string_view message, std::string_view param) {
  const json::object error{{"message", message},
                           {"type", kind.type},
                           {"param", text_or_null(param)},
                           {"code", text_or_null(kind.code)}};
  auto response = json_response(json::serialize(json::object{{"error", error}}), kind.status);
  if (kind.status == 503) {
    response.headers.set("retry-after-ms", std::string{kRetryMs});
    response.headers.set("Retry-After", "1");
  }
  return response;
}

}  // namespace

Response problem(const Error& error, std::string_view param, bool with_credential) {
  std::string message = error.message();
  for (const auto* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    message.append(": ").append(cause->message());
  }
  return reply(kind_of(error.code(), with_credential), message, param);
}

Response no_model(std::string_view model) {
  return reply({404, "invalid_request_error", "model_not_found"},
               fmt::format("there is no model '{}' here; GET /v1/models lists them", model),
               "model");
}

}  // namespace infiniedge::api::openai
