// SPDX-License-Identifier: Apache-2.0
#include "api/inference/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/inference/answer_write.hpp"
#include "api/inference/coding.hpp"
#include "api/inference/describe.hpp"
#include "api/inference/options.hpp"
#include "api/inference/reply.hpp"

namespace infiniedge::api::inference {
namespace {

constexpr std::size_t kWorthCompressing = 1024;

runtime::Histogram& histogram(runtime::Metrics& metrics, const char* code) {
  return metrics.histogram("infiniedge_api_request_seconds", "Time to answer a request.",
                           {{"door", "inference"}, {"code", code}});
}

void compress(std::string_view accept, runtime::http::Response& response) {
  if (accept.empty() || response.body.size() < kWorthCompressing) return;
  const auto coding = preferred_coding(accept);
  if (coding == Coding::Identity) return;
  response.body = encode_body(coding, response.body);
  response.headers.add("Content-Encoding", coding == Coding::Gzip ? "gzip" : "deflate");
}

}  // namespace

Door::Door(model::Server& server, runtime::Metrics& metrics, Options options)
    : server_(server),
      options_(options),
      seconds_ok_(histogram(metrics, "2xx")),
      seconds_refused_(histogram(metrics, "4xx")),
      seconds_failed_(histogram(metrics, "5xx")) {}

bool Door::is_open(std::string_view path) {
  const auto kind = parse_target(path).kind;
  return kind == Target::Kind::Live || kind == Target::Kind::Ready;
}

Task<Door::Response> Door::handle(Request request) {
  const auto start = std::chrono::steady_clock::now();
  auto target = parse_target(request.path());
  const std::string accept{request.headers.get("Accept-Encoding")};
  Response response;
  if (target.kind == Target::Kind::Unknown) {
    response = error_reply(404, fmt::format("no route {}", request.path()));
  } else if (request.method != target.method()) {
    response = error_reply(405, fmt::format("{} takes {}", request.path(), target.method()));
    response.headers.add("Allow", std::string{target.method()});
  } else if (target.kind == Target::Kind::Infer) {
    response = co_await infer(std::move(request), std::move(target));
  } else {
    response = co_await route(std::move(request), std::move(target));
  }
  compress(accept, response);
  auto& seconds = response.status < 400   ? seconds_ok_
                  : response.status < 500 ? seconds_refused_
                                          : seconds_failed_;
  const auto took = std::chrono::steady_clock::now() - start;
  seconds.observe(std::chrono::duration<double>(took).count());
  co_return response;
}

Task<Door::Response> Door::route(Request request, Target target) {
  switch (target.kind) {
    case Target::Kind::Server:
      co_return json_reply(server_json(server_.options()));
    case Target::Kind::Live:
      co_return json_reply(R"({"live":true})");
    case Target::Kind::Ready:
      co_return ready();
    case Target::Kind::ModelReady:
      co_return model_ready(target);
    case Target::Kind::Model:
      co_return model(target);
    case Target::Kind::Config:
      co_return config(target);
    case Target::Kind::Statistics:
      co_return statistics(target);
    case Target::Kind::Index:
      co_return co_await index(std::move(request));
    case Target::Kind::Load:
    case Target::Kind::Unload:
      co_return co_await load(std::move(request), std::move(target));
    case Target::Kind::SharedMemory:
      co_return shared_memory(target);
    default:
      co_return error_reply(501, "there is one model repository here, without a name");
  }
}

Task<Door::Response> Door::infer(Request request, Target target) {
  auto served = server_.find(target.model, target.version);
  if (!served) co_return refused(served.error(), nullptr);
  auto body = std::move(request.body);
  if (const auto coding = request.headers.get("Content-Encoding"); !coding.empty()) {
    auto plain = decode_body(coding, std::move(body), options_.max_body);
    if (!plain) {
      auto response = error_reply(plain.error());
      if (plain.error().code() == Code::Unsupported) {
        response.headers.add("Accept-Encoding", "gzip, deflate");
      }
      co_return response;
    }
    body = std::move(*plain);
  }
  auto call = reader_.read((*served)->config(), std::move(body),
                           request.headers.get("Inference-Header-Content-Length"));
  if (!call) co_return error_reply(call.error());
  call->request.version = std::move(target.version);
  auto answer = co_await server_.infer(std::move(call->request));
  if (!answer) co_return refused(answer.error(), served->get());
  co_return write_answer(*call, *answer);
}

/// An error, with the time after which a retry may help.
Door::Response Door::refused(const Error& error, const model::Served* served) const {
  auto response = error_reply(error);
  if (response.status != 503) return response;
  const Micros wait = served != nullptr ? served->retry_after() : Micros{Seconds{1}};
  const auto ms = std::max<std::int64_t>(1, std::chrono::ceil<Millis>(wait).count());
  response.headers.add("Retry-After", std::to_string(std::max<std::int64_t>(1, (ms + 999) / 1000)));
  response.headers.add("retry-after-ms", std::to_string(ms));
  return response;
}

Door::Response Door::ready() const {
  if (server_.ready()) return json_reply(R"({"ready":true,"live":true})");
  auto response = json_reply(R"({"ready":false,"live":true,"error":"the server is not ready"})");
  response.status = 503;
  return response;
}

Door::Response Door::model_ready(const Target& target) const {
  auto served = server_.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  std::string body = "{\"name\":";
  append_json_string(body, target.model);
  return json_reply(body.append(",\"ready\":true}"));
}

Door::Response Door::model(const Target& target) const {
  auto served = server_.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  return json_reply(model_json(**served, server_.ready_versions(target.model)));
}

Door::Response Door::config(const Target& target) const {
  auto served = server_.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  return json_reply(model::to_json((*served)->config()));
}

Door::Response Door::statistics(const Target& target) const {
  if (target.model.empty()) return json_reply(statistics_json(server_.serving()));
  auto served = server_.find(target.model, target.version);
  // Unknown here is 400, unlike everywhere else: that is what clients of Triton test.
  if (!served) return error_reply(400, served.error().message());
  if (!target.version.empty()) return json_reply(statistics_json({*served}));
  auto all = server_.serving();
  std::erase_if(all, [&](const auto& each) { return each->config().name != target.model; });
  return json_reply(statistics_json(all));
}

Task<Door::Response> Door::index(Request request) {
  auto options = read_index_options(*request.body);
  if (!options) co_return error_reply(options.error());
  auto entries = co_await server_.index(options->ready);
  if (!entries) co_return refused(entries.error(), nullptr);
  co_return json_reply(index_json(*entries));
}

Task<Door::Response> Door::load(Request request, Target target) {
  auto options = read_load_options(*request.body);
  if (!options) co_return error_reply(options.error());
  const bool loading = target.kind == Target::Kind::Load;
  auto name = std::move(target.model);
  Result<void> done;
  if (loading) {
    done = co_await server_.load(name);
  } else if (options->unload_dependents) {
    done = co_await server_.unload_with_parts(name);
  } else {
    done = co_await server_.unload(name);
  }
  if (done) co_return json_reply("");
  auto response = refused(done.error(), nullptr);
  if (response.status == 404) response.status = 400;  // As Triton has it for load and unload.
  co_return response;
}

/// Off: clients that unregister everything first must still get through.
Door::Response Door::shared_memory(const Target& target) {
  if (target.action == "status") return json_reply("[]");
  if (target.action == "unregister") return json_reply("");
  return error_reply(501, "shared memory is not enabled on this server");
}

}  // namespace infiniedge::api::inference
