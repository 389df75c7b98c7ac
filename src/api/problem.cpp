// SPDX-License-Identifier: Apache-2.0
#include "api/problem.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/suggest.hpp"

namespace infiniedge::api {
namespace {

namespace json = boost::json;

json::array errors_of(const base::Diagnostics& diagnostics) {
  json::array out;
  for (const auto& d : diagnostics) {
    out.push_back({{"file", d.file},
                   {"line", d.line},
                   {"column", d.column},
                   {"end", d.end},
                   {"severity", d.severity == base::Severity::Error ? "error" : "warning"},
                   {"id", d.id},
                   {"message", d.message},
                   {"suggestion", d.suggestion},
                   {"help", d.help}});
  }
  return out;
}

}  // namespace

int http_status(Code code, bool with_credential) {
  switch (code) {
    case Code::Invalid:
      return 400;
    case Code::NotFound:
      return 404;
    case Code::Exists:
      return 409;
    case Code::Denied:
      return with_credential ? 403 : 401;
    case Code::Unsupported:
      return 501;
    case Code::Unavailable:
      return 503;
    case Code::Timeout:
      return 504;
    case Code::Cancelled:
      return 499;
    case Code::Exhausted:
      return 429;
    case Code::Stale:
      return 412;
    case Code::Corrupt:
    case Code::Internal:
      return 500;
  }
  return 500;
}

runtime::http::Response problem(const Error& error, bool with_credential,
                                const base::Diagnostics& diagnostics) {
  runtime::http::Response response;
  response.status = http_status(error.code(), with_credential);
  const auto code = base::fold(to_string(error.code()));
  json::object body{{"type", "https://infiniedge.io/errors/" + code},
                    {"title", to_string(error.code())},
                    {"status", response.status},
                    {"detail", error.describe().substr(to_string(error.code()).size() + 2)},
                    {"code", code}};
  if (!diagnostics.empty()) body["errors"] = errors_of(diagnostics);
  response.headers.set("content-type", "application/problem+json");
  if (response.status == 429) response.headers.set("retry-after", "1");
  if (response.status == 401) response.headers.set("www-authenticate", "Bearer");
  response.body = json::serialize(body);
  return response;
}

runtime::http::Response json_response(std::string body, int status) {
  runtime::http::Response response;
  response.status = status;
  response.headers.set("content-type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace infiniedge::api
