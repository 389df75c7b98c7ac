// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/time.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api {

/// Server-sent events: what happens on the node, as pages and `get -w` see it.
///
/// Flow:   app -> [Events] -> browsers
/// Thread: the door's shard.
/// Owner:  app; outlives the streams it has opened.
class Events {
 public:
  Events(boost::asio::any_io_executor executor, Clock& clock, std::uint32_t epoch);
  ~Events();

  /// `data` is JSON. A slow reader gets only the newest of events with the same `coalesce` key;
  /// others never drop.
  void publish(std::string topic, std::string event, std::string data, std::string coalesce = {});
  /// True if someone listens to this topic: guards costly events.
  bool wanted(std::string_view topic) const;

  /// The response that streams `topics` (comma separated; `value/*` is a prefix). `last_id`:
  /// Last-Event-ID, to replay what was missed, or to say `resync`.
  runtime::http::Response open(std::string_view topics, std::string_view last_id);

 private:
  struct Event {
    std::uint64_t seq;
    Instant at;
    std::string topic, text, coalesce;
  };
  struct Reader;

  static Task<void> stream(Events* events, std::shared_ptr<Reader> reader,
                           std::shared_ptr<runtime::http::BodyWriter> writer);
  void replay(Reader& reader, std::string_view last_id) const;
  static bool matches(const std::set<std::string>& topics, std::string_view topic);

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  std::uint32_t epoch_;
  std::uint64_t next_ = 1;
  std::deque<Event> recent_;
  std::list<std::weak_ptr<Reader>> readers_;
};

}  // namespace infiniedge::api
