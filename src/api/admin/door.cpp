// SPDX-License-Identifier: Apache-2.0
#include "api/admin/door.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/problem.hpp"

namespace infiniedge::api::admin {
namespace {

namespace http = runtime::http;
namespace json = boost::json;

constexpr std::string_view kRoot = "/api/v1/";

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto word = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), word.size() + 1));
    if (!word.empty()) out.push_back(http::percent_decode(word));
  }
  return out;
}

http::Response refuse(Code code, std::string sentence) {
  return problem(Error{code, std::move(sentence)});
}

http::Response method_not_allowed(std::string allow) {
  auto response = refuse(Code::Invalid, "this path takes " + allow);
  response.status = 405;
  response.headers.set("allow", std::move(allow));
  return response;
}

http::Response text_response(std::string body, std::string_view type) {
  http::Response response;
  response.headers.set("content-type", std::string{type});
  response.body = std::move(body);
  return response;
}

http::Response of(Result<std::string> result) {
  return result ? json_response(std::move(*result)) : problem(result.error());
}

http::Response of(tl::expected<std::string, Refusal> result) {
  if (result) return json_response(std::move(*result));
  return problem(result.error().error, true, result.error().diagnostics);
}

json::object values_json(const std::vector<PointValue>& values) {
  json::object out;
  for (const auto& value : values) {
    boost::system::error_code error;
    auto parsed = json::parse(value.value.empty() ? "null" : value.value, error);
    out[value.point] = {{"value", error ? json::value(value.value) : parsed},
                        {"status", static_cast<int>(value.quality)},
                        {"time", to_us(value.time)}};
  }
  return out;
}

std::string scalar_text(const json::value& value) {
  return value.is_string() ? std::string{value.as_string()} : json::serialize(value);
}

}  // namespace

bool Door::owns(std::string_view path) {
  return path.starts_with(kRoot) || path == "/v1/query" || path == "/healthz" ||
         path == "/readyz" || path == "/metrics";
}

bool Door::open_to_all(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

http::Response Door::open_session(const http::Request& request, std::uint16_t port) {
  if (request.method != "POST") return method_not_allowed("POST");
  boost::system::error_code error;
  const auto body = json::parse(*request.body, error);
  const auto* token = !error && body.is_object() ? body.as_object().if_contains("token") : nullptr;
  if (token == nullptr || !token->is_string()) {
    return refuse(Code::Invalid, "the body is {\"token\": \"…\"}");
  }
  auto session = auth_.open_session(std::string_view{token->as_string()}, request.peer);
  if (!session) return problem(session.error(), false);
  http::Response response;
  response.status = 204;
  response.headers.set(
      "set-cookie", fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200{}",
                                Auth::cookie_name(port), *session, request.tls ? "; Secure" : ""));
  return response;
}

Task<http::Response> Door::handle(http::Request request, Principal principal) {
  const std::string path{request.path()};
  if (path == "/healthz") co_return text_response("ok\n", "text/plain");
  if (path == "/readyz") {
    auto response = text_response(node_.ready() ? "ready\n" : "not ready\n", "text/plain");
    response.status = node_.ready() ? 200 : 503;
    co_return response;
  }
  if (path == "/metrics") co_return text_response(node_.metrics(), "text/plain; version=0.0.4");
  const bool safe = request.method == "GET" || request.method == "HEAD";
  if (principal.cookie && !safe && !own_origin(request)) {
    co_return refuse(Code::Denied, "a page of another origin may not do this");
  }
  if (path == "/v1/query") {
    if (request.method != "POST") co_return method_not_allowed("POST");
    co_return co_await node_.query(std::move(request));
  }
  co_return co_await api(std::move(request), std::move(principal));
}

http::Response Door::simple(const http::Request& request, const std::string& word, bool& found) {
  found = true;
  if (word == "status") return json_response(node_.status());
  if (word == "graph") return json_response(node_.graph());
  if (word == "alarms") return json_response(node_.alarms());
  if (word == "parts") return json_response(node_.parts());
  if (word == "events") {
    return events_.open(request.parameter("topics"), request.headers.get("last-event-id"));
  }
  found = false;
  return {};
}

Task<http::Response> Door::api(http::Request request, Principal principal) {
  auto path = segments(request.path().substr(kRoot.size()));
  if (path.empty()) co_return refuse(Code::NotFound, "no such path; see /api/v1/status");
  const bool get = request.method == "GET";
  if (path.size() == 1 && get) {
    bool found = false;
    auto response = simple(request, path[0], found);
    if (found) co_return response;
  }
  if (path[0] == "apply" && path.size() == 1) {
    if (request.method != "POST") co_return method_not_allowed("POST");
    if (!principal.at_least(Role::Admin))
      co_return refuse(Code::Denied, "apply needs the role admin");
    co_return co_await apply(std::move(request));
  }
  if (path[0] == "alarms" && path.size() == 3 && path[2] == "ack") {
    if (request.method != "POST") co_return method_not_allowed("POST");
    if (!principal.at_least(Role::Operator)) {
      co_return refuse(Code::Denied, "acknowledging needs the role operator");
    }
    const auto done = node_.acknowledge_alarm(path[1]);
    co_return done ? json_response("{}") : problem(done.error());
  }
  if (path[0] == "explain" && path.size() == 3 && get)
    co_return of(node_.explain(path[1], path[2]));
  if (path[0] == "tap" && path.size() == 3 && get) {
    co_return co_await node_.tap(path[1], path[2], request.parameter("where"));
  }
  if (path.size() == 3 && path[0] == "devices") {
    co_return co_await device(std::move(request), std::move(principal), std::move(path));
  }
  co_return co_await resources(std::move(request), std::move(principal), std::move(path));
}

Task<http::Response> Door::resources(http::Request request, Principal principal,
                                     std::vector<std::string> path) {
  if (path.size() > 2) co_return refuse(Code::NotFound, "no such path");
  const bool get = request.method == "GET";
  if (path.size() == 1) {
    if (!get) co_return method_not_allowed("GET");
    co_return of(node_.list(path[0]));
  }
  if (get) co_return of(node_.get(path[0], path[1]));
  if (!principal.at_least(Role::Admin)) {
    co_return refuse(Code::Denied, "changing resources needs the role admin");
  }
  if (request.method == "PUT") co_return co_await put(std::move(request), path[0], path[1]);
  if (request.method == "DELETE") co_return of(co_await node_.remove(path[0], path[1]));
  co_return method_not_allowed("GET, PUT, DELETE");
}

Task<http::Response> Door::put(http::Request request, std::string plural, std::string name) {
  const bool exists = node_.get(plural, name).has_value();
  if (request.headers.get("if-none-match") == "*" && exists) {
    co_return refuse(Code::Stale, fmt::format("{}/{} exists already", plural, name));
  }
  auto result = co_await node_.apply(*request.body, ApplyOptions{});
  auto response = of(std::move(result));
  if (response.status == 200 && !exists) response.status = 201;
  co_return response;
}

Task<http::Response> Door::apply(http::Request request) {
  ApplyOptions options;
  options.dry_run = request.parameter("dryRun") == "true";
  options.prune = request.parameter("prune") == "true";
  auto sources = request.parameter("sources");
  while (!sources.empty()) {
    const auto end = std::min(sources.find('\n'), sources.size());
    options.sources.push_back(sources.substr(0, end));
    sources.erase(0, end + 1);
  }
  co_return of(co_await node_.apply(*request.body, std::move(options)));
}

Task<http::Response> Door::device(http::Request request, Principal principal,
                                  std::vector<std::string> path) {
  if (request.method != "POST") co_return method_not_allowed("POST");
  boost::system::error_code error;
  const auto body = json::parse(*request.body, error);
  if (error || !body.is_object()) co_return refuse(Code::Invalid, "the body is a JSON object");
  if (path[2] == "read") {
    std::vector<std::string> points;
    const auto* wanted = body.as_object().if_contains("points");
    if (wanted != nullptr && wanted->is_array()) {
      for (const auto& point : wanted->as_array()) points.push_back(scalar_text(point));
    }
    auto values = co_await node_.read_device(path[1], std::move(points));
    if (!values) co_return problem(values.error());
    co_return json_response(json::serialize(values_json(*values)));
  }
  if (path[2] != "write") co_return refuse(Code::NotFound, "a device has read and write");
  if (!principal.at_least(Role::Operator)) {
    co_return refuse(Code::Denied, "writing needs the role operator");
  }
  const auto* values = body.as_object().if_contains("values");
  if (values == nullptr || !values->is_object()) {
    co_return refuse(Code::Invalid, "the body is {\"values\": {POINT: VALUE}}");
  }
  std::vector<PointWrite> writes;
  for (const auto& [point, value] : values->as_object()) {
    writes.push_back({.point = std::string{point}, .value = scalar_text(value)});
  }
  const auto* dry = body.as_object().if_contains("dry_run");
  const bool dry_run = dry != nullptr && dry->is_bool() && dry->as_bool();
  const auto done = co_await node_.write_device(path[1], std::move(writes), dry_run);
  co_return done ? json_response("{}") : problem(done.error());
}

}  // namespace infiniedge::api::admin
