// SPDX-License-Identifier: Apache-2.0
#include "api/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

namespace infiniedge::api {
namespace {

constexpr std::size_t kReplayEvents = 1000;
constexpr Micros kReplaySpan = Seconds{60};
constexpr std::size_t kMaxQueued = 1U << 20;
constexpr std::chrono::seconds kComment{15};

}  // namespace

struct Events::Reader {
  Reader(boost::asio::any_io_executor executor, std::set<std::string> wanted)
      : topics(std::move(wanted)), wake(std::move(executor)) {}

  void push(const Event& event) {
    if (!event.coalesce.empty()) {
      for (auto& waiting : queue) {
        if (waiting.coalesce == event.coalesce) {
          bytes += event.text.size();
          bytes -= waiting.text.size();
          waiting = event;
          return;
        }
      }
    }
    bytes += event.text.size();
    queue.push_back(event);
    if (bytes > kMaxQueued) overrun = true;
    wake.cancel();
  }

  std::set<std::string> topics;
  std::deque<Event> queue;
  std::size_t bytes = 0;
  bool overrun = false;
  boost::asio::steady_timer wake;
};

Events::Events(boost::asio::any_io_executor executor, Clock& clock, std::uint32_t epoch)
    : executor_(std::move(executor)), clock_(clock), epoch_(epoch) {}

Events::~Events() = default;

bool Events::matches(const std::set<std::string>& topics, std::string_view topic) {
  if (topics.contains(std::string{topic})) return true;
  const auto slash = topic.find('/');
  return slash != std::string_view::npos &&
         topics.contains(std::string{topic.substr(0, slash)} + "/*");
}

bool Events::wanted(std::string_view topic) const {
  return std::any_of(readers_.begin(), readers_.end(), [&](const auto& weak) {
    const auto reader = weak.lock();
    return reader && matches(reader->topics, topic);
  });
}

void Events::publish(std::string topic, std::string event, std::string data, std::string coalesce) {
  Event entry{.seq = next_++,
              .at = clock_.now(),
              .topic = std::move(topic),
              .coalesce = std::move(coalesce)};
  entry.text = fmt::format("id: {}-{}\nevent: {}\ndata: {}\n\n", epoch_, entry.seq, event, data);
  for (auto at = readers_.begin(); at != readers_.end();) {
    if (const auto reader = at->lock()) {
      if (matches(reader->topics, entry.topic)) reader->push(entry);
      ++at;
    } else {
      at = readers_.erase(at);
    }
  }
  recent_.push_back(std::move(entry));
  while (recent_.size() > kReplayEvents || clock_.now() - recent_.front().at > kReplaySpan) {
    recent_.pop_front();
  }
}

void Events::replay(Reader& reader, std::string_view last_id) const {
  if (last_id.empty()) return;
  const auto dash = last_id.find('-');
  std::uint32_t epoch = 0;
  std::uint64_t seq = 0;
  const auto* end = last_id.data() + last_id.size();
  const bool read =
      dash != std::string_view::npos &&
      std::from_chars(last_id.data(), last_id.data() + dash, epoch).ec == std::errc{} &&
      std::from_chars(last_id.data() + dash + 1, end, seq).ec == std::errc{};
  const auto oldest = recent_.empty() ? next_ : recent_.front().seq;
  if (!read || epoch != epoch_ || seq + 1 < oldest) {
    reader.push({.seq = 0, .at = {}, .text = "event: resync\ndata: {}\n\n"});
    return;
  }
  for (const auto& event : recent_) {
    if (event.seq > seq && matches(reader.topics, event.topic)) reader.push(event);
  }
}

runtime::http::Response Events::open(std::string_view topics, std::string_view last_id) {
  std::set<std::string> wanted;
  while (!topics.empty()) {
    const auto word = topics.substr(0, topics.find(','));
    topics.remove_prefix(std::min(topics.size(), word.size() + 1));
    if (!word.empty()) wanted.emplace(word);
  }
  auto reader = std::make_shared<Reader>(executor_, std::move(wanted));
  replay(*reader, last_id);
  readers_.push_back(reader);
  runtime::http::Response response;
  response.headers.set("content-type", "text/event-stream");
  response.headers.set("cache-control", "no-store");
  response.stream = [this, reader](std::shared_ptr<runtime::http::BodyWriter> writer) {
    return stream(this, reader, std::move(writer));
  };
  return response;
}

Task<void> Events::stream(Events*, std::shared_ptr<Reader> reader,
                          std::shared_ptr<runtime::http::BodyWriter> writer) {
  std::string text = "retry: 2000\n\n";
  while (true) {
    while (!reader->queue.empty()) {
      text += reader->queue.front().text;
      reader->queue.pop_front();
    }
    reader->bytes = 0;
    const auto sent = co_await writer->write(std::move(text));
    if (!sent || reader->overrun) co_return;
    text.clear();
    if (!reader->queue.empty()) continue;
    reader->wake.expires_after(kComment);
    const auto [error] =
        co_await reader->wake.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!error)
      text = ": still here\n\n";
    else if (reader->queue.empty())
      co_return;  // Cancelled by the server closing.
  }
}

}  // namespace infiniedge::api
