// SPDX-License-Identifier: Apache-2.0
#include "api/inference/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/inference/answer_write.hpp"
#include "api/inference/coding.hpp"
#include "api/inference/describe.hpp"
#include "api/inference/generate.hpp"
#include "api/inference/reply.hpp"

namespace infiniedge::api::inference {
namespace {

constexpr std::size_t kWorthCompressing = 1024;
/// More than this is read, written or compressed on a worker: chosen, not measured, so that text
/// costs the shard no more than the 200 µs that a model may run there.
constexpr std::size_t kHeavyText = 32U << 10;
/// Of bytes that are only copied.
constexpr std::size_t kHeavyCopy = 1U << 20;

runtime::Histogram& histogram(runtime::Metrics& metrics, const char* code) {
  return metrics.histogram("infiniedge_api_request_seconds", "Time to answer a request.",
                           {{"door", "inference"}, {"code", code}});
}

/// What is needed to read a call, on whichever thread.
struct Envelope {
  std::shared_ptr<const std::string> body;
  std::string coding, json_length;
  std::size_t max_body;

  bool heavy() const {
    if (!coding.empty()) return body->size() > kHeavyText / 4;
    return (json_length.empty() ? body->size() : std::strtoull(json_length.c_str(), nullptr, 10)) >
           kHeavyText;
  }
};

Result<Call> open_envelope(const Envelope& envelope, const model::ModelConfig& config,
                           CallReader& reader) {
  auto body = envelope.body;
  if (!envelope.coding.empty()) {
    auto plain = decode_body(envelope.coding, std::move(body), envelope.max_body);
    if (!plain) return std::move(plain).error();
    body = std::move(*plain);
  }
  return reader.read(config, std::move(body), envelope.json_length);
}

/// Bytes of the answer that become text.
bool heavy(const Call& call, const model::InferResponse& answer) {
  std::size_t text = 0, copied = 0;
  for (std::size_t i = 0; i < answer.outputs.size(); ++i) {
    const auto* wish = call.outputs.empty() ? nullptr : &call.outputs[i];
    const bool copies = wish != nullptr ? (wish->binary || wish->shared) && wish->classes == 0
                                        : call.binary_default;
    (copies ? copied : text) += answer.outputs[i].data.size();
  }
  return text > kHeavyText || copied > kHeavyCopy;
}

std::size_t shared_bytes(const Call& call) {
  std::size_t bytes = 0;
  for (const auto& input : call.shared_inputs) bytes += input.slice.byte_size;
  return bytes;
}

void compress(Coding coding, runtime::http::Response& response) {
  response.body = encode_body(coding, response.body);
  response.headers.add("Content-Encoding", coding == Coding::Gzip ? "gzip" : "deflate");
}

}  // namespace

Door::Door(Parts parts, Options options)
    : parts_(parts),
      options_(options),
      seconds_ok_(histogram(parts.metrics, "2xx")),
      seconds_refused_(histogram(parts.metrics, "4xx")),
      seconds_failed_(histogram(parts.metrics, "5xx")) {}

bool Door::owns(std::string_view path) { return path == "/v2" || path.starts_with("/v2/"); }

bool Door::is_open(std::string_view path) {
  const auto kind = parse_target(path).kind;
  return kind == Target::Kind::Live || kind == Target::Kind::Ready;
}

bool Door::steers(const Request& request) {
  return parse_target(request.path()).steers(request.method);
}

Task<Door::Response> Door::handle(Request request) {
  const auto start = std::chrono::steady_clock::now();
  auto target = parse_target(request.path());
  std::string accept{request.headers.get("Accept-Encoding")};
  Response response;
  if (target.kind == Target::Kind::Infer && target.takes(request.method)) {
    response = co_await infer(std::move(request), std::move(target));
  } else {
    response = co_await answer(std::move(request), std::move(target));
  }
  if (!accept.empty() && response.body.size() >= kWorthCompressing) {
    response = co_await compressed(std::move(response), std::move(accept));
  }
  auto& seconds = response.status < 400   ? seconds_ok_
                  : response.status < 500 ? seconds_refused_
                                          : seconds_failed_;
  const auto took = std::chrono::steady_clock::now() - start;
  seconds.observe(std::chrono::duration<double>(took).count());
  co_return response;
}

Task<Door::Response> Door::compressed(Response response, std::string accept) {
  const auto coding = preferred_coding(accept);
  if (coding == Coding::Identity) co_return response;
  if (response.body.size() <= kHeavyText) {
    compress(coding, response);
    co_return response;
  }
  const auto job = [coding, &response]() -> Result<void> {
    compress(coding, response);
    return {};
  };
  // Busy workers leave it as it is.
  (void)co_await runtime::run_on(parts_.workers, job);
  co_return response;
}

Task<Door::Response> Door::answer(Request request, Target target) {
  if (target.kind == Target::Kind::Unknown) {
    co_return error_reply(404, fmt::format("no route {}", request.path()));
  }
  if (!target.takes(request.method)) {
    auto response = error_reply(405, fmt::format("{} takes {}", request.path(), target.methods()));
    response.headers.add("Allow", std::string{target.methods()});
    co_return response;
  }
  co_return co_await route(std::move(request), std::move(target));
}

Task<Door::Response> Door::route(Request request, Target target) {
  switch (target.kind) {
    case Target::Kind::Server:
      co_return json_reply(server_json(parts_.server.options(), parts_.state));
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
      co_return shared_memory(request, target);
    case Target::Kind::CudaSharedMemory:
      co_return cuda_shared_memory(target);
    case Target::Kind::Logging:
      co_return logging(request);
    case Target::Kind::Trace:
      co_return trace(request, target);
    case Target::Kind::Generate:
    case Target::Kind::GenerateStream:
      co_return co_await generate(std::move(request), std::move(target));
    default:
      co_return error_reply(501, "there is one model repository here, without a name");
  }
}

Task<Door::Response> Door::infer(Request request, Target target) {
  auto served = co_await parts_.server.obtain(target.model, target.version);
  if (!served) co_return refused(served.error(), nullptr);
  const auto disconnected = request.disconnected;
  auto call = co_await read_call(*served, std::move(request));
  if (!call) {
    auto response = refused(call.error(), served->get());
    if (response.status == 501) response.headers.add("Accept-Encoding", "gzip, deflate");
    co_return response;
  }
  call->request.version = std::move(target.version);
  call->request.cancel = disconnected;
  auto answer = co_await parts_.server.infer(std::move(call->request));
  if (!answer) co_return refused(answer.error(), served->get());
  if (!heavy(*call, *answer)) co_return write_answer(*call, *answer);
  co_return co_await write_call(std::move(*call), std::move(*answer));
}

Task<Result<Call>> Door::read_call(ServedPtr served, Request request) {
  const Envelope envelope{
      std::move(request.body), std::string{request.headers.get("Content-Encoding")},
      std::string{request.headers.get("Inference-Header-Content-Length")}, options_.max_body};
  Result<Call> call;
  if (envelope.heavy()) {
    const auto job = [&envelope, &served] {
      CallReader reader;
      return open_envelope(envelope, served->config(), reader);
    };
    call = co_await runtime::run_on(parts_.workers, job);
  } else {
    call = open_envelope(envelope, served->config(), reader_);
  }
  if (!call) co_return call;
  INFINIEDGE_CO_TRY(hold_shared(*call, parts_.state.memory, options_.max_body));
  if (call->shared_inputs.empty()) co_return call;
  const auto copy = [&call] { return copy_shared(*call); };
  if (shared_bytes(*call) <= kHeavyCopy) {
    INFINIEDGE_CO_TRY(copy());
    co_return call;
  }
  auto copied = co_await runtime::run_on(parts_.workers, copy);
  if (!copied) co_return std::move(copied).error();
  co_return call;
}

Task<Door::Response> Door::write_call(Call call, model::InferResponse answer) {
  const auto job = [&call, &answer]() -> Result<Response> { return write_answer(call, answer); };
  auto response = co_await runtime::run_on(parts_.workers, job);
  if (!response) co_return refused(response.error(), nullptr);
  co_return std::move(*response);
}

Task<Door::Response> Door::generate(Request request, Target target) {
  auto served = co_await parts_.server.obtain(target.model, target.version);
  if (!served) co_return refused(served.error(), nullptr);
  auto call = read_generate((*served)->config(), *request.body);
  if (!call) co_return refused(call.error(), nullptr);
  call->request.version = std::move(target.version);
  call->request.cancel = request.disconnected;
  auto answer = co_await parts_.server.infer(std::move(call->request));
  if (!answer) co_return refused(answer.error(), served->get());
  auto text = write_generate(*call, *answer);
  if (target.kind == Target::Kind::Generate) co_return json_reply(std::move(text));
  // Models here answer a request once, so the stream is one event.
  Response response;
  response.headers.add("Content-Type", "text/event-stream");
  response.body = fmt::format("data: {}\n\n", text);
  co_return response;
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
  if (parts_.server.ready()) return json_reply(R"({"ready":true,"live":true})");
  auto response = json_reply(R"({"ready":false,"live":true,"error":"the server is not ready"})");
  response.status = 503;
  return response;
}

Door::Response Door::model_ready(const Target& target) const {
  auto served = parts_.server.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  std::string body = "{\"name\":";
  append_json_string(body, target.model);
  return json_reply(body.append(",\"ready\":true}"));
}

Door::Response Door::model(const Target& target) const {
  auto served = parts_.server.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  return json_reply(model_json(**served, parts_.server.ready_versions(target.model)));
}

Door::Response Door::config(const Target& target) const {
  auto served = parts_.server.find(target.model, target.version);
  if (!served) return refused(served.error(), nullptr);
  return json_reply(model::to_json((*served)->config()));
}

Door::Response Door::statistics(const Target& target) const {
  const auto served = statistics_of(parts_.server, target.model, target.version);
  // Unknown here is 400, unlike everywhere else: that is what clients of Triton test.
  if (!served) return error_reply(400, served.error().message());
  return json_reply(statistics_json(*served));
}

}  // namespace infiniedge::api::inference
