// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "infiniedge/time.hpp"
#include "runtime/channel.hpp"
#include "runtime/scope.hpp"
#include "sync/arbiter.hpp"
#include "sync/frame.hpp"
#include "sync/link.hpp"
#include "sync/outbox.hpp"
#include "sync/progress.hpp"
#include "sync/sent_devices.hpp"

namespace infiniedge::sync {

/// What an uplink's sessions count together.
struct Tally {
  std::uint64_t acknowledged_rows = 0;
  std::uint64_t sent_rows = 0, sent_bytes = 0;
  std::uint64_t gap_rows = 0;
};

/// The gateway's end of one connection: greets, resumes where the hub stands, then sends what the
/// outbox has, lane by lane within the hub's credit, and moves the cursors as it is acknowledged.
///
/// Flow:    store -> Outbox -> [Session] -> Link -> hub
/// Thread:  one shard.
/// Owner:   the uplink, one per connection; run() is awaited before destruction.
/// Errors:  run() says why it ended: Unavailable (link), Timeout (30 s without an Ack), Corrupt or
///          Unsupported (not a hub's message), Stale (the epoch rose; connect again at once), or
///          what the hub's Error said.
class Session {
 public:
  struct Options {
    std::string uplink;  ///< Name of the resource: the peer of the cursors.
    std::string node;    ///< For people; may be empty.
    record::Lane first_lane = record::Lane::Alarm, last_lane = record::Lane::Bulk;
    bool ordered = true;
    Micros ack_timeout{Seconds{30}};
  };

  Session(boost::asio::any_io_executor executor, Outbox& outbox, Clock& clock, Arbiter& arbiter,
          Tally& tally, Options options);
  ~Session();

  /// Speaks until the link fails, the hub refuses or stop() is called (Cancelled).
  Task<Error> run(std::shared_ptr<Link> link);
  void stop();
  /// Rows of `stream` have become durable.
  void durable(store::StreamId stream);
  /// The hub has answered the greeting.
  bool welcomed() const { return welcomed_; }

 private:
  struct Stream {
    record::Lane lane = record::Lane::Normal;
    Progress progress;
    std::uint64_t reading = 0;                ///< Generation of `progress` that is being sent.
    bool dry = false;                         ///< The outbox had no more.
    bool refused = false;                     ///< The hub does not take it; said once.
    SchemaPtr introduced;                     ///< What the hub was last told.
    std::map<std::uint32_t, Ranges> covered;  ///< By epoch, from Welcome.
  };

  // session.cpp
  Task<Result<void>> greet();
  Hello make_hello();
  Task<Result<void>> resume(const Welcome& welcome);
  bool ahead_of_us(const StreamCover& cover) const;
  void resume_stream(store::StreamId id, Stream& stream);
  void add_stream(const store::StreamInfo& info);
  bool mine(const store::StreamInfo& info) const;
  Task<void> watch();
  void end(Error reason);

  // session_receive.cpp
  Task<void> receive_loop();
  Result<void> handle(Frame frame);
  Result<void> on(const Ack& ack);
  Result<void> on(const Nack& nack);
  Result<void> on(const Credit& credit);
  Result<void> on(const ErrorFrame& error);
  void moved(store::StreamId id, Stream& stream, Position before);

  // session_send.cpp
  Task<void> send_loop();
  void offer_lanes();
  Stream* next_stream(record::Lane lane, store::StreamId& id);
  Task<Result<void>> advance(store::StreamId id, Stream& stream);
  Task<Result<void>> send_item(store::StreamId id, Stream& stream, store::OutboxItem item);
  Task<Result<void>> send_hole(store::StreamId id, Stream& stream, std::uint32_t epoch,
                               std::uint64_t before);
  Task<Result<void>> send_gap(Stream& stream, record::Gap gap);
  Task<Result<void>> send_rows(store::StreamId id, Stream& stream, store::OutboxItem item);
  Task<Result<void>> send_part(store::StreamId id, Stream& stream, store::OutboxItem part);
  Task<Result<void>> introduce(store::StreamId id, Stream& stream, const SchemaPtr& schema);
  Task<Result<void>> send_definitions(record::Lane lane);
  Task<Result<void>> transmit(Frame frame, record::Lane lane);
  void sending();
  /// What was read is no longer what comes next, or nothing does.
  bool outdated(const Stream& stream) const;

  Outbox& outbox_;
  Clock& clock_;
  Arbiter& arbiter_;
  Tally& tally_;
  Options options_;
  std::shared_ptr<Link> link_;
  runtime::Channel<int> wake_;
  runtime::Channel<int> ended_;
  std::optional<Error> reason_;
  bool welcomed_ = false, stopped_ = false;
  std::uint32_t epoch_ = 0;  ///< As the hub was greeted.
  std::map<store::StreamId, Stream> streams_;
  std::array<std::int64_t, kLanes> credit_{};
  std::array<store::StreamId, kLanes> last_served_{};
  SentDevices devices_;
  Instant progress_at_{};  ///< Last sign that the hub gets on with what was sent.
  runtime::Scope scope_;
};

}  // namespace infiniedge::sync
