// SPDX-License-Identifier: Apache-2.0
// SQL over the store: the request's body in, text in the format asked for out.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "api/problem.hpp"
#include "app/node/node.hpp"
#include "store/ieb.hpp"

namespace infiniedge::app {

namespace http = runtime::http;
namespace json = boost::json;

namespace {

constexpr std::uint64_t kMostRows = 1'000'000;

store::QueryParam param_of(const json::value& value, std::string name) {
  store::QueryParam out{.name = std::move(name)};
  if (value.is_bool())
    out.value = value.as_bool();
  else if (value.is_int64())
    out.value = value.as_int64();
  else if (value.is_double())
    out.value = value.as_double();
  else if (value.is_string())
    out.value = std::string{value.as_string()};
  return out;
}

void read_params(const json::value& params, store::QueryRequest& out) {
  if (params.is_array()) {
    for (const auto& value : params.as_array()) out.params.push_back(param_of(value, ""));
  } else if (params.is_object()) {
    for (const auto& [name, value] : params.as_object())
      out.params.push_back(param_of(value, std::string{name}));
  }
}

Result<store::QueryRequest> read_request(const http::Request& request) {
  boost::system::error_code error;
  const auto body = json::parse(*request.body, error);
  const auto* sql = error || !body.is_object() ? nullptr : body.as_object().if_contains("sql");
  if (sql == nullptr || !sql->is_string()) {
    return Error{Code::Invalid,
                 "the body is {\"sql\": \"SELECT …\", \"params\": […], \"max_rows\": n}"};
  }
  store::QueryRequest out{.sql = std::string{sql->as_string()}};
  const auto& object = body.as_object();
  if (const auto* params = object.if_contains("params")) read_params(*params, out);
  if (const auto* rows = object.if_contains("max_rows"); rows != nullptr && rows->is_int64()) {
    out.max_rows = std::min<std::uint64_t>(
        kMostRows, static_cast<std::uint64_t>(std::max<std::int64_t>(1, rows->as_int64())));
  }
  if (const auto* timeout = object.if_contains("timeout_ms");
      timeout != nullptr && timeout->is_int64()) {
    out.timeout = Millis{std::clamp<std::int64_t>(timeout->as_int64(), 1, 600'000)};
  }
  if (const auto* after = object.if_contains("read_after");
      after != nullptr && after->is_string()) {
    out.read_after = std::string{after->as_string()};
  }
  return out;
}

std::string_view format_of(const http::Request& request, store::QueryRequest& out) {
  const auto accept = request.headers.get("accept");
  if (accept.find("text/csv") != std::string_view::npos) {
    out.format = store::ResultFormat::Csv;
    return "text/csv; charset=utf-8";
  }
  if (accept.find("ndjson") != std::string_view::npos) {
    out.format = store::ResultFormat::Ndjson;
    return "application/x-ndjson";
  }
  return "application/json";
}

}  // namespace

void Node::add_duckdb(store::Store::Environment& environment) {
  duckdb_ = std::make_unique<store::DuckDb>(
      store::DuckDb::options_for(std::filesystem::absolute(settings_.data).string()));
  sealer_ = std::make_unique<store::ParquetSealer>(*duckdb_);
  segment_reader_ = std::make_unique<store::ParquetReader>(*duckdb_);
  environment.sealer = sealer_.get();
  environment.readers.push_back(segment_reader_.get());
}

void Node::make_query() {
  store::Query::Environment environment;
  environment.executor = world_.shard.executor();
  environment.duckdb = duckdb_.get();
  environment.workers = &world_.query;
  environment.clock = &world_.clock;
  environment.snapshot = [this] { return store_->snapshot(); };
  environment.load_ieb = [this](const auto&, const std::string& path, const auto& table) {
    return store::load_ieb(*world_.disk, path, table);
  };
  query_ = std::make_unique<store::Query>(std::move(environment));
  retention_ = std::make_unique<store::Retention>(store::Retention::Environment{
      store_.get(), duckdb_.get(), &world_.clock, &world_.compute, &world_.metrics});
  scope_.spawn(retention_->run());
}

void Node::make_ingest() {
  ingest_ =
      std::make_unique<hub::Ingest>(world_.shard.executor(), *store_, world_.clock, world_.metrics);
}

Task<void> Node::close_ingest() { co_await ingest_->close(); }

Task<http::Response> Node::query(http::Request request) {
  auto wanted = read_request(request);
  if (!wanted) co_return api::problem(wanted.error());
  const auto type = format_of(request, *wanted);
  base::Diagnostics diagnostics;
  auto result = co_await query_->run(std::move(*wanted), &diagnostics);
  if (!result) co_return api::problem(result.error(), true, diagnostics);
  http::Response response;
  response.headers.set("content-type", std::string{type});
  response.body = std::move(result->body);
  co_return response;
}

}  // namespace infiniedge::app
