// SPDX-License-Identifier: Apache-2.0
#include "api/openai/chat.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <deque>

#include "api/openai/problem.hpp"

namespace infiniedge::api::openai {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace http = runtime::http;

constexpr Micros kPatience{Seconds{120}};        ///< For the answer, then for each event.
constexpr std::size_t kMostWaiting = 1U << 20;   ///< Bytes that a slow client may leave unread.
constexpr std::size_t kLongestEvent = 1U << 20;  ///< Longer ones are passed, not metered.

Error invalid(std::string message) { return {Code::Invalid, std::move(message)}; }

bool holds(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// Splits events into lines and gives the data of each to `on_data`.
class EventLines {
 public:
  template <class OnData>
  void put(std::string_view piece, OnData on_data) {
    line_.append(piece);
    std::size_t at = 0;
    for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n', at)) {
      const std::string_view line(line_.data() + at, end - at);
      if (line.starts_with("data: {")) on_data(line.substr(6));
      at = end + 1;
    }
    line_.erase(0, at);
    if (line_.size() > kLongestEvent) line_.clear();
  }

 private:
  std::string line_;
};

}  // namespace

/// Between the upstream, which is read as it comes, and the client, which may be slower.
struct Chat::Relay {
  explicit Relay(asio::any_io_executor executor)
      : wake(std::move(executor), asio::steady_timer::time_point::max()) {}

  Task<void> wait() { co_await wake.async_wait(asio::as_tuple(asio::use_awaitable)); }
  bool started() const { return done || !pieces.empty(); }

  http::Response head;
  std::deque<std::string> pieces;
  std::size_t bytes = 0;
  EventLines lines;
  std::optional<Error> error;
  bool done = false;
  bool gone = false;  ///< The client is: nothing more is wanted.
  asio::steady_timer wake;
};

/// To the client, until one of both has ended. `client` lives as long as this does.
Task<void> Chat::relay_to(std::shared_ptr<Relay> relay, std::shared_ptr<void> /*client*/,
                          std::shared_ptr<http::BodyWriter> writer) {
  while (true) {
    while (!relay->pieces.empty()) {
      auto piece = std::move(relay->pieces.front());
      relay->pieces.pop_front();
      relay->bytes -= piece.size();
      const auto written = co_await writer->write(std::move(piece));
      if (!written) co_return;
    }
    if (relay->done) co_return;
    co_await relay->wait();
  }
}

Chat::Chat(asio::any_io_executor executor, Upstream upstream, runtime::Metrics& metrics)
    : upstream_(std::move(upstream)),
      prompt_(metrics.counter("infiniedge_openai_tokens_total", "Tokens that were asked and said.",
                              {{"call", "chat"}, {"kind", "prompt"}})),
      completion_(metrics.counter("infiniedge_openai_tokens_total",
                                  "Tokens that were asked and said.",
                                  {{"call", "chat"}, {"kind", "completion"}})),
      scope_(std::move(executor)) {}

Task<http::Response> Chat::handle(http::Request request) {
  bool streaming = false;
  auto outgoing_request = outgoing(*request.body, streaming);
  if (!outgoing_request) co_return problem(outgoing_request.error(), "model");
  auto upstream = client();
  if (!upstream) co_return problem(upstream.error());
  if (streaming) co_return co_await stream(std::move(*outgoing_request));
  auto response = co_await (*upstream)->send(std::move(*outgoing_request), kPatience);
  if (!response) {
    co_return problem(
        Error{response.error().code(), "the upstream model does not answer", response.error()});
  }
  meter(response->body);
  http::Response out{.status = response->status};
  out.headers.set("content-type", std::string{response->headers.get("content-type")});
  out.body = std::move(response->body);
  co_return out;
}

Result<http::Client*> Chat::client() {
  if (client_) return client_.get();
  const auto url = http::Url::parse(upstream_.url);
  if (!url) return Error{Code::Internal, "openai.upstream cannot be used", url.error()};
  auto made = http::Client::make(scope_.executor(), *url, {.ca = upstream_.ca});
  if (!made) return made.error();
  client_ = std::move(*made);
  return client_.get();
}

/// The client's body with the upstream's name of the model, and nothing else of the request.
Result<http::Request> Chat::outgoing(const std::string& body, bool& streaming) const {
  if (upstream_.url.empty()) {
    return Error{Code::Unsupported,
                 "there is no model for chat here; set openai.upstream to a server that has one"};
  }
  boost::system::error_code error;
  auto parsed = json::parse(body, error);
  if (error || !parsed.is_object()) return invalid("the body is not a JSON object");
  auto& object = parsed.get_object();
  const auto* model = object.if_contains("model");
  if (model == nullptr || !model->is_string()) return invalid("model is missing");
  const std::string name{model->get_string().c_str()};
  const auto alias = upstream_.aliases.find(name);
  if (!upstream_.aliases.empty() && alias == upstream_.aliases.end()) {
    return Error{Code::NotFound, fmt::format("model '{}' is not in openai.aliases", name)};
  }
  if (alias != upstream_.aliases.end()) object["model"] = alias->second;
  streaming = holds(object, "stream");
  http::Request out{.method = "POST"};
  const auto url = http::Url::parse(upstream_.url);
  if (!url) return Error{Code::Internal, "openai.upstream cannot be used", url.error()};
  out.target = (url->target == "/" ? "" : url->target) + "/chat/completions";
  out.headers.set("content-type", "application/json");
  if (!upstream_.key.empty()) out.headers.set("authorization", "Bearer " + upstream_.key);
  out.body = std::make_shared<const std::string>(json::serialize(object));
  return out;
}

Task<http::Response> Chat::stream(http::Request request) {
  auto relay = std::make_shared<Relay>(scope_.executor());
  scope_.spawn(pump(std::move(request), relay));
  // If this ends early, the client has gone: so has the wish for an answer.
  const std::shared_ptr<void> client(nullptr, [relay](void*) { relay->gone = true; });
  while (!relay->started()) co_await relay->wait();
  if (relay->error) {
    co_return problem(
        Error{relay->error->code(), "the upstream model does not answer", *relay->error});
  }
  http::Response out{.status = relay->head.status};
  out.headers.set("content-type", std::string{relay->head.headers.get("content-type")});
  out.headers.set("cache-control", "no-cache");
  out.stream = [relay, client](std::shared_ptr<http::BodyWriter> writer) {
    return relay_to(relay, client, std::move(writer));
  };
  co_return out;
}

Task<void> Chat::pump(http::Request request, std::shared_ptr<Relay> relay) {
  http::StreamSink sink;
  sink.on_head = [relay](const http::Response& head) { relay->head = head; };
  sink.on_piece = [this, relay](std::string_view piece) {
    if (relay->gone || relay->bytes > kMostWaiting) return false;
    relay->lines.put(piece, [this](std::string_view data) { meter(data); });
    relay->bytes += piece.size();
    relay->pieces.emplace_back(piece);
    relay->wake.cancel();
    return true;
  };
  const auto response =
      co_await client_->send_streaming(std::move(request), kPatience, std::move(sink));
  if (!response && relay->pieces.empty()) relay->error = response.error();
  relay->done = true;
  relay->wake.cancel();
}

/// Counts the tokens of an answer, or of the last event, which tells them if asked to.
void Chat::meter(std::string_view text) {
  if (text.find("\"usage\"") == std::string_view::npos) return;
  boost::system::error_code error;
  const auto parsed = json::parse({text.data(), text.size()}, error);
  const auto* object = error ? nullptr : parsed.if_object();
  const auto* usage = object != nullptr ? object->if_contains("usage") : nullptr;
  if (usage == nullptr || !usage->is_object()) return;
  const auto count = [&](std::string_view key, runtime::Counter& counter) {
    const auto* value = usage->get_object().if_contains(key);
    if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return;
    counter.add(static_cast<std::uint64_t>(value->get_int64()));
  };
  count("prompt_tokens", prompt_);
  count("completion_tokens", completion_);
}

}  // namespace infiniedge::api::openai
