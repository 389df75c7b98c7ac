// SPDX-License-Identifier: Apache-2.0
#include "app/node_client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "app/paths.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app {
namespace {

namespace asio = boost::asio;
namespace http = runtime::http;
namespace json = boost::json;

constexpr std::size_t kMostProblem = 64U << 10;

std::string find_node(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* environment = std::getenv("INFINIEDGE_NODE")) return environment;
  const auto own = Paths::defaults().socket();
  std::error_code error;
  if (std::filesystem::exists(own, error)) return "unix:" + own;
  return "unix:/run/infiniedge/node.sock";
}

Code code_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::Internal); ++i) {
    if (base::fold(to_string(static_cast<Code>(i))) == name) return static_cast<Code>(i);
  }
  return Code::Internal;
}

/// Runs one call to its end. After `limit` it is cancelled.
template <class T>
Result<T> run(asio::io_context& context, Task<Result<T>> task, std::optional<Micros> limit = {}) {
  std::optional<Result<T>> out;
  const auto stop = std::make_shared<asio::cancellation_signal>();
  asio::steady_timer timer(context);
  if (limit) {
    timer.expires_after(*limit);
    timer.async_wait([stop](boost::system::error_code error) {
      if (!error) stop->emit(asio::cancellation_type::terminal);
    });
  }
  const auto done = [&](std::exception_ptr error, Result<T> result) {
    if (error)
      out.emplace(Error{Code::Internal, "the call ended with an exception"});
    else
      out.emplace(std::move(result));
    context.stop();
  };
  asio::co_spawn(context, std::move(task), asio::bind_cancellation_slot(stop->slot(), done));
  context.restart();
  context.run();
  return std::move(*out);
}

std::string_view field(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return {};
  line.remove_prefix(name.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

Result<std::unique_ptr<NodeClient>> NodeClient::open(const Options& options) {
  std::unique_ptr<NodeClient> out(new NodeClient(options));
  out->where_ = find_node(options.node);
  if (!options.token_file.empty()) {
    std::ifstream file(options.token_file);
    if (!file)
      return Error{Code::NotFound, fmt::format("token file {} cannot be read", options.token_file)};
    std::getline(file, out->token_);
  }
  auto url = http::Url::parse(out->where_);
  if (!url) return url.error();
  http::ClientOptions client_options;
  client_options.ca = options.ca;
  client_options.fingerprint = options.fingerprint;
  auto client = http::Client::make(out->context_.get_executor(), std::move(*url), client_options);
  if (!client) return client.error();
  out->client_ = std::move(*client);
  return out;
}

http::Request NodeClient::request(const std::string& method, const std::string& target) const {
  http::Request request;
  request.method = method;
  request.target = target;
  if (!token_.empty()) request.headers.set("authorization", "Bearer " + token_);
  return request;
}

Result<http::Response> NodeClient::send(http::Request request) {
  auto response = run(context_, client_->send(std::move(request), options_.timeout));
  if (response) return response;
  if (response.error().code() != Code::Unavailable) return response;
  return Error{
      Code::Unavailable,
      fmt::format(
          "no node answers at {}: start one with `infiniedge up -f FILE`, or name it with --node",
          where_),
      std::move(response).error()};
}

Error NodeClient::problem(const http::Response& response) {
  problem_errors_.clear();
  boost::system::error_code error;
  const auto body = json::parse(response.body, error);
  if (error || !body.is_object()) {
    return Error{Code::Unavailable,
                 fmt::format("{} answers with status {}", where_, response.status)};
  }
  const auto& object = body.as_object();
  const auto text = [&](const char* name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
  };
  if (const auto* errors = object.if_contains("errors")) problem_errors_ = json::serialize(*errors);
  auto detail = text("detail");
  if (detail.empty()) detail = text("error");
  return Error{code_from(text("code")),
               detail.empty() ? fmt::format("status {}", response.status) : detail};
}

Result<std::string> NodeClient::text(const std::string& method, const std::string& target,
                                     const std::string& body, const std::string& accept) {
  auto outgoing = request(method, target);
  outgoing.headers.set("accept", accept);
  if (!body.empty()) {
    outgoing.headers.set("content-type", "application/json");
    outgoing.body = std::make_shared<const std::string>(body);
  }
  auto response = send(std::move(outgoing));
  if (!response) return response.error();
  if (response->status >= 400) return problem(*response);
  return std::move(response->body);
}

Result<json::value> NodeClient::get(const std::string& target) { return call("GET", target, ""); }

Result<json::value> NodeClient::call(const std::string& method, const std::string& target,
                                     const std::string& body, const std::string& type) {
  auto outgoing = request(method, target);
  if (!body.empty()) {
    outgoing.headers.set("content-type", type);
    outgoing.body = std::make_shared<const std::string>(body);
  }
  auto response = send(std::move(outgoing));
  if (!response) return response.error();
  if (response->status >= 400) return problem(*response);
  if (response->body.empty()) return json::value{};
  boost::system::error_code error;
  auto value = json::parse(response->body, error);
  if (error) return Error{Code::Corrupt, fmt::format("{} does not answer in JSON", where_)};
  return value;
}

Result<void> NodeClient::events(
    const std::string& target,
    const std::function<bool(const std::string&, const std::string&)>& on_event,
    std::optional<Micros> limit) {
  std::string pending, first, event, data;
  bool enough = false;
  const auto on_piece = [&](std::string_view piece) {
    if (first.size() < kMostProblem) first.append(piece);
    pending.append(piece);
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const auto line = pending.substr(0, end);
      pending.erase(0, end + 1);
      if (const auto name = field(line, "event:"); !name.empty()) event = name;
      if (const auto value = field(line, "data:"); !value.empty()) data = value;
      if (line.empty() && !data.empty()) {
        enough = !on_event(event, data);
        event.clear();
        data.clear();
        if (enough) return false;
      }
    }
    return true;
  };
  const auto forever = std::chrono::hours{24 * 365};
  auto response =
      run(context_, client_->send_streaming(request("GET", target), forever, {on_piece}), limit);
  if (enough) return {};
  if (!response && limit && response.error().code() == Code::Cancelled) return {};
  if (!response) return response.error();
  if (response->status < 400) return {};
  response->body = first;  // A problem came in pieces too.
  return problem(*response);
}

}  // namespace infiniedge::app
