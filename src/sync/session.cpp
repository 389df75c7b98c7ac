// SPDX-License-Identifier: Apache-2.0
#include "sync/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "runtime/log.hpp"

namespace infiniedge::sync {

Session::Session(boost::asio::any_io_executor executor, Outbox& outbox, Clock& clock,
                 Arbiter& arbiter, Tally& tally, Options options)
    : outbox_(outbox),
      clock_(clock),
      arbiter_(arbiter),
      tally_(tally),
      options_(std::move(options)),
      wake_(executor, 1),
      ended_(executor, 1),
      scope_(executor) {}

Session::~Session() { arbiter_.forget(this); }

Task<Error> Session::run(std::shared_ptr<Link> link) {
  // Cancelling the caller must not keep this from winding up; stop() ends it.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  link_ = std::move(link);
  if (stopped_) end({Code::Cancelled, "the uplink stops"});
  progress_at_ = clock_.now();
  scope_.spawn(watch());
  Result<void> greeted;
  if (!reason_) greeted = co_await greet();
  if (!greeted) {
    end(std::move(greeted).error());
  } else if (!reason_) {
    arbiter_.listen(this, [this] { wake_.try_send(0); });
    scope_.spawn(receive_loop());
    scope_.spawn(send_loop());
    while (!reason_ && co_await ended_.receive()) {
    }
  }
  if (!reason_) end({Code::Cancelled, "the uplink stops"});
  arbiter_.forget(this);
  for (auto& [id, stream] : streams_) stream.dry = true;
  offer_lanes();
  link_->close();
  wake_.close();
  co_await scope_.close();
  co_return *reason_;
}

void Session::stop() {
  stopped_ = true;
  if (link_) end({Code::Cancelled, "the uplink stops"});
}

void Session::end(Error reason) {
  if (!reason_) reason_ = std::move(reason);
  if (link_) link_->close();
  ended_.try_send(0);
}

bool Session::mine(const store::StreamInfo& info) const {
  const auto& wanted = info.policy.uplinks;
  return info.origin == record::GatewayId{} && info.policy.lane >= options_.first_lane &&
         info.policy.lane <= options_.last_lane &&
         std::find(wanted.begin(), wanted.end(), options_.uplink) != wanted.end();
}

void Session::add_stream(const store::StreamInfo& info) {
  const auto cursor = outbox_.cursor(options_.uplink, info.id);
  auto& stream = streams_[info.id];
  stream.lane = info.policy.lane;
  stream.progress = Progress(Position{cursor.epoch, cursor.hwm});
}

void Session::durable(store::StreamId id) {
  if (!welcomed_) return;
  auto found = streams_.find(id);
  if (found == streams_.end()) {
    const auto info = outbox_.find(id);
    if (!info || !mine(*info)) return;
    add_stream(*info);
  } else {
    found->second.dry = false;
  }
  wake_.try_send(0);
}

Hello Session::make_hello() {
  Hello hello{.gateway = outbox_.gateway(),
              .name = options_.node,
              .epoch = outbox_.epoch(),
              .first_lane = options_.first_lane,
              .last_lane = options_.last_lane,
              .ordered = options_.ordered};
  epoch_ = hello.epoch;
  for (const auto& info : outbox_.streams()) {
    if (!mine(info) || hello.streams.size() == kMaxStreams) continue;
    add_stream(info);
    const auto cursor = outbox_.cursor(options_.uplink, info.id);
    // A stream without rows in this epoch has none of its numbers yet.
    const std::uint64_t last = info.epoch == hello.epoch ? info.last_seq : 0;
    hello.streams.push_back({.id = info.id,
                             .name = info.schema->stream,
                             .first_epoch = std::min(std::max(cursor.epoch, 1U), hello.epoch),
                             .epoch = hello.epoch,
                             .last_seq = last});
  }
  return hello;
}

Task<Result<void>> Session::greet() {
  Frame hello = make_hello();
  auto sent = co_await link_->send(encode(hello, options_.first_lane));
  if (!sent) co_return std::move(sent).error();
  auto raw = co_await link_->receive();
  if (!raw) co_return std::move(raw).error();
  auto message = decode(base::as_bytes(*raw));
  if (!message) co_return std::move(message).error();
  if (const auto* error = std::get_if<ErrorFrame>(&message->frame)) {
    co_return Error{error->code, "the hub refuses: " + error->message};
  }
  const auto* welcome = std::get_if<Welcome>(&message->frame);
  if (welcome == nullptr) {
    co_return Error{Code::Corrupt, "the hub did not answer the greeting with a Welcome"};
  }
  if (welcome->version != kVersion) {
    co_return Error{Code::Unsupported,
                    fmt::format("the hub speaks version {} of sync, this node version {}: "
                                "upgrade the older of the two",
                                welcome->version, kVersion)};
  }
  co_return co_await resume(*welcome);
}

bool Session::ahead_of_us(const StreamCover& cover) const {
  const auto info = outbox_.find(cover.stream);
  if (!info || !streams_.contains(cover.stream) || cover.ranges.empty()) return false;
  if (cover.epoch != outbox_.epoch()) return cover.epoch > outbox_.epoch();
  return highest(cover.ranges) > (info->epoch == cover.epoch ? info->last_seq : 0);
}

Task<Result<void>> Session::resume(const Welcome& welcome) {
  std::uint32_t beyond = 0;
  for (const auto& cover : welcome.covers) {
    if (ahead_of_us(cover)) beyond = std::max(beyond, cover.epoch);
  }
  if (beyond != 0) {
    const auto reason = fmt::format(
        "hub of uplink {} has rows of epoch {} that this node no longer has: its disk went back "
        "in time (restored copy, lost writes)",
        options_.uplink, beyond);
    runtime::log(runtime::Level::Warning, "sync", reason, {{"resource", options_.uplink}});
    while (outbox_.epoch() <= beyond) INFINIEDGE_CO_TRY(co_await outbox_.raise_epoch(reason));
    co_return Error{Code::Stale, reason};
  }
  for (const auto& cover : welcome.covers) {
    const auto found = streams_.find(cover.stream);
    if (found != streams_.end()) found->second.covered[cover.epoch] = cover.ranges;
  }
  for (const auto& credit : welcome.credit) {
    credit_[static_cast<std::size_t>(credit.lane)] =
        static_cast<std::int64_t>(std::min<std::uint64_t>(credit.bytes, INT32_MAX));
  }
  for (auto& [id, stream] : streams_) resume_stream(id, stream);
  welcomed_ = true;
  co_return Result<void>{};
}

void Session::resume_stream(store::StreamId id, Stream& stream) {
  const Position start = stream.progress.acknowledged();
  if (start.epoch == 0) return;
  const Ranges& covered = stream.covered[start.epoch];
  const std::uint64_t reached = high_water(covered);
  if (reached > start.seq) {
    stream.progress = Progress(Position{start.epoch, reached});
    moved(id, stream, start);
  } else if (reached < start.seq && options_.ordered) {
    // The hub lost what it had acknowledged; what the outbox still has goes again.
    stream.progress.rewind(start.epoch, reached + 1);
    stream.covered.clear();
  }
}

Task<void> Session::watch() {
  while (!reason_) {
    if (!co_await clock_.sleep_for(Seconds{1})) co_return;
    const bool waiting =
        !welcomed_ || std::any_of(streams_.begin(), streams_.end(), [](auto& each) {
          return !each.second.progress.idle() && !each.second.refused;
        });
    if (!waiting) progress_at_ = clock_.now();
    if (clock_.now() - progress_at_ >= options_.ack_timeout) {
      end({Code::Timeout, "the hub has acknowledged nothing for 30 s"});
    }
    wake_.try_send(0);  // A stuck lane of the other connection may have timed out.
  }
}

}  // namespace infiniedge::sync
