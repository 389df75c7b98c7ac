// SPDX-License-Identifier: Apache-2.0
#include "api/openai/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/openai/problem.hpp"
#include "api/problem.hpp"

namespace infiniedge::api::openai {
namespace {

namespace json = boost::json;
using runtime::http::Request;
using runtime::http::Response;

constexpr std::string_view kModels = "/v1/models";
constexpr std::string_view kEmbeddings = "/v1/embeddings";
constexpr std::string_view kTranscriptions = "/v1/audio/transcriptions";
constexpr std::string_view kChat = "/v1/chat/completions";

json::object describe(std::string_view id) {
  return {{"id", id}, {"object", "model"}, {"created", 0}, {"owned_by", "infiniedge"}};
}

Response wrong_verb(const Request& request, std::string allowed) {
  auto response = problem(
      Error{Code::Invalid, fmt::format("{} {}: only {}", request.method, request.path(), allowed)});
  response.status = 405;
  response.headers.set("Allow", std::move(allowed));
  return response;
}

}  // namespace

Door::Door(const Parts& parts, Upstream upstream)
    : server_(parts.models),
      embeddings_(parts.models, parts.workers, parts.metrics),
      transcriptions_(parts.executor, parts.workers),
      chat_(parts.executor, std::move(upstream), parts.metrics) {}

bool Door::owns(std::string_view path) {
  return path == kModels || path.starts_with("/v1/models/") || path == kEmbeddings ||
         path.starts_with("/v1/audio/") || path.starts_with("/v1/chat/");
}

Task<Response> Door::handle(Request request) {
  const std::string path{request.path()};
  const bool listing = path.starts_with(kModels);
  const auto* const verb = listing ? "GET" : "POST";
  if (request.method != verb) co_return wrong_verb(request, verb);
  if (path == kModels) co_return models();
  if (listing) co_return model(runtime::http::percent_decode(path.substr(kModels.size() + 1)));
  if (path == kEmbeddings) co_return co_await embeddings_.handle(std::move(request));
  if (path == kTranscriptions) co_return co_await transcriptions_.handle(std::move(request));
  if (path == kChat) co_return co_await chat_.handle(std::move(request));
  co_return problem(Error{Code::NotFound, fmt::format("there is no {} here", path)});
}

/// What a client of this API can name: embeddings, speech, and the names that chat goes by.
std::vector<std::string> Door::names() const {
  std::vector<std::string> out;
  for (const auto& served : server_.serving()) {
    if (embeddings_.serves(*served)) out.push_back(served->config().name);
  }
  if (!Recogniser::name().empty()) out.emplace_back(Recogniser::name());
  for (const auto& [name, upstream] : chat_.upstream().aliases) out.push_back(name);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Response Door::models() const {
  json::array list;
  for (const auto& name : names()) list.push_back(describe(name));
  return json_response(
      json::serialize(json::object{{"object", "list"}, {"data", std::move(list)}}));
}

Response Door::model(std::string_view id) const {
  const auto known = names();
  if (std::ranges::find(known, id) == known.end()) return no_model(id);
  return json_response(json::serialize(describe(id)));
}

}  // namespace infiniedge::api::openai
