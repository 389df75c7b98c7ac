// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "runtime/log.hpp"
#include "sync/session.hpp"

namespace infiniedge::sync {

Task<void> Session::receive_loop() {
  while (!reason_) {
    auto raw = co_await link_->receive();
    if (!raw) {
      end(std::move(raw).error());
      co_return;
    }
    auto message = decode(base::as_bytes(*raw));
    auto handled =
        message ? handle(std::move(message->frame)) : Result<void>{std::move(message).error()};
    if (!handled) {
      end(std::move(handled).error());
      co_return;
    }
    wake_.try_send(0);
  }
}

Result<void> Session::handle(Frame frame) {
  if (const auto* ack = std::get_if<Ack>(&frame)) return on(*ack);
  if (const auto* nack = std::get_if<Nack>(&frame)) return on(*nack);
  if (const auto* credit = std::get_if<Credit>(&frame)) return on(*credit);
  if (const auto* error = std::get_if<ErrorFrame>(&frame)) return on(*error);
  return Error{Code::Corrupt, "a message that only a node sends"};
}

Result<void> Session::on(const Ack& ack) {
  const auto found = streams_.find(ack.cover.stream);
  if (found == streams_.end()) return Error{Code::Corrupt, "an Ack for a stream never sent"};
  auto& stream = found->second;
  const Position before = stream.progress.acknowledged();
  tally_.acknowledged_rows += stream.progress.acknowledge(ack.cover.epoch, ack.cover.ranges);
  progress_at_ = clock_.now();
  moved(found->first, stream, before);
  return {};
}

void Session::moved(store::StreamId id, Stream& stream, Position before) {
  const Position now = stream.progress.acknowledged();
  if (now <= before) return;
  outbox_.advance({.peer = options_.uplink, .stream = id, .epoch = now.epoch, .hwm = now.seq});
}

Result<void> Session::on(const Nack& nack) {
  const auto found = streams_.find(nack.stream);
  if (found == streams_.end()) return Error{Code::Corrupt, "a Nack for a stream never sent"};
  auto& stream = found->second;
  // A late Nack, of a hole filled since, names what is not on its way: nothing to do.
  if (stream.progress.rewind(nack.epoch, nack.expected)) {
    stream.dry = false;
    stream.covered.clear();  // What Welcome said has proved wrong.
  }
  return {};
}

Result<void> Session::on(const Credit& credit) {
  auto& left = credit_[static_cast<std::size_t>(credit.lane)];
  left = std::min<std::int64_t>(left + static_cast<std::int64_t>(credit.bytes), INT32_MAX);
  return {};
}

Result<void> Session::on(const ErrorFrame& error) {
  const auto found = streams_.find(error.stream);
  if (found == streams_.end()) return Error{error.code, "the hub refuses: " + error.message};
  found->second.refused = true;
  const auto info = outbox_.find(error.stream);
  runtime::log(runtime::Level::Warning, "sync",
               fmt::format("the hub of uplink {} does not take stream {}: {}", options_.uplink,
                           info ? info->schema->stream : "?", error.message),
               {{"resource", options_.uplink}, {"code", std::string{to_string(error.code)}}});
  return {};
}

}  // namespace infiniedge::sync
