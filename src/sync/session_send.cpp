// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "record/block.hpp"
#include "record/evolve.hpp"
#include "record/value.hpp"
#include "sync/session.hpp"

namespace infiniedge::sync {
namespace {

/// Most bytes of a Data message. Small in the upper lanes, so that an alarm never waits long.
constexpr std::size_t kSmall = std::size_t{64} << 10, kLarge = std::size_t{1} << 20;
/// Rows are two to five times smaller on the wire than in memory.
constexpr std::size_t kMemoryFactor = 2;

std::size_t limit_of(record::Lane lane) { return lane == record::Lane::Bulk ? kLarge : kSmall; }

/// Rows [begin, begin + count) of `item`, with the numbers that belong to them.
store::OutboxItem part_of(const store::OutboxItem& item, std::size_t begin, std::size_t count) {
  const auto seq = [&](std::size_t row) {
    return item.rows.seq.empty() ? item.from + row : item.rows.seq[row];
  };
  store::OutboxItem part{.stream = item.stream, .epoch = item.epoch};
  part.from = begin == 0 ? item.from : seq(begin - 1) + 1;
  part.to = begin + count == item.rows.rows() ? item.to : seq(begin + count - 1);
  part.rows = record::slice(item.rows, begin, count);
  return part;
}

}  // namespace

Task<void> Session::send_loop() {
  while (!reason_) {
    offer_lanes();
    const auto lane = arbiter_.pick(options_.first_lane, options_.last_lane, clock_.now());
    store::StreamId id = 0;
    Stream* stream = lane ? next_stream(*lane, id) : nullptr;
    if (stream == nullptr) {
      if (!co_await wake_.receive()) co_return;
      continue;
    }
    auto sent = co_await advance(id, *stream);
    if (!sent) {
      end(std::move(sent).error());
      co_return;
    }
  }
}

void Session::offer_lanes() {
  std::array<bool, kLanes> ready{};
  for (const auto& [id, stream] : streams_) {
    const auto lane = static_cast<std::size_t>(stream.lane);
    if (!stream.dry && !stream.refused && credit_[lane] > 0) ready[lane] = true;
  }
  for (auto lane = static_cast<std::size_t>(options_.first_lane);
       lane <= static_cast<std::size_t>(options_.last_lane); ++lane) {
    arbiter_.offer(static_cast<record::Lane>(lane), ready[lane], clock_.now());
  }
}

Session::Stream* Session::next_stream(record::Lane lane, store::StreamId& id) {
  // In turn, starting after the stream that went last.
  auto& last = last_served_[static_cast<std::size_t>(lane)];
  auto at = streams_.upper_bound(last);
  for (std::size_t i = 0; i < streams_.size(); ++i, ++at) {
    if (at == streams_.end()) at = streams_.begin();
    if (at->second.lane != lane || at->second.dry || at->second.refused) continue;
    id = last = at->first;
    return &at->second;
  }
  return nullptr;
}

Task<Result<void>> Session::advance(store::StreamId id, Stream& stream) {
  const auto info = outbox_.find(id);
  if (!info || !mine(*info)) {  // The configuration changed: no row more.
    stream.dry = true;
    co_return Result<void>{};
  }
  const Position at = stream.progress.next();
  stream.reading = stream.progress.generation();
  stream.dry = true;  // durable() takes it back if rows come while this reads.
  auto items = co_await outbox_.read(id, at.epoch, at.seq, record::kMaxBlockRows,
                                     kMemoryFactor * limit_of(stream.lane));
  if (!items) co_return std::move(items).error();
  if (items->empty()) co_return Result<void>{};
  stream.dry = false;
  for (auto& item : *items) {
    if (outdated(stream)) break;
    INFINIEDGE_CO_TRY(co_await send_item(id, stream, std::move(item)));
  }
  co_return Result<void>{};
}

Task<Result<void>> Session::send_item(store::StreamId id, Stream& stream, store::OutboxItem item) {
  if (item.epoch > epoch_) {
    // The other connection found that the disk went back in time.
    co_return Error{Code::Stale, "the node has a new epoch: the hub must be greeted again"};
  }
  INFINIEDGE_CO_TRY(co_await send_hole(id, stream, item.epoch, item.from));
  if (outdated(stream)) co_return Result<void>{};
  const auto known = stream.covered.find(item.epoch);
  if (known != stream.covered.end() && covers(known->second, {item.from, item.to})) {
    const Position before = stream.progress.acknowledged();
    stream.progress.sent(item.epoch, {item.from, item.to}, 0, true);
    moved(id, stream, before);
    co_return Result<void>{};
  }
  if (!item.gap && item.rows.rows() == 0) {
    // Numbers without rows: all withheld. Nothing is lost, and nothing is sent but that.
    item.gap = record::Gap{.epoch = item.epoch, .reason = record::GapReason::Downsampled};
  }
  if (!item.gap) co_return co_await send_rows(id, stream, std::move(item));
  item.gap->stream = id;
  item.gap->from_seq = item.from;
  item.gap->to_seq = item.to;
  const auto info = outbox_.find(id);
  if (info) INFINIEDGE_CO_TRY(co_await introduce(id, stream, info->schema));
  co_return co_await send_gap(stream, std::move(*item.gap));
}

Task<Result<void>> Session::send_hole(store::StreamId id, Stream& stream, std::uint32_t epoch,
                                      std::uint64_t before) {
  const Position at = stream.progress.next();
  const std::uint64_t from = at.epoch == epoch ? at.seq + 1 : 1;
  if (from >= before) co_return Result<void>{};
  const auto info = outbox_.find(id);
  if (!info) co_return Result<void>{};
  INFINIEDGE_CO_TRY(co_await introduce(id, stream, info->schema));
  // Numbers that an earlier epoch gave out are no loss: counting went on where it was.
  const bool continued = at.epoch != epoch && before == at.seq + 1;
  record::Gap gap{.stream = id,
                  .epoch = epoch,
                  .from_seq = from,
                  .to_seq = before - 1,
                  .rows = continued ? 0 : before - from,
                  .reason = continued ? record::GapReason::Rollback : record::GapReason::Evicted};
  co_return co_await send_gap(stream, std::move(gap));
}

Task<Result<void>> Session::send_gap(Stream& stream, record::Gap gap) {
  if (outdated(stream)) co_return Result<void>{};
  sending();
  stream.progress.sent(gap.epoch, {gap.from_seq, gap.to_seq}, 0);
  tally_.gap_rows += gap.rows;
  Frame frame = GapFrame{std::move(gap)};
  co_return co_await transmit(std::move(frame), stream.lane);
}

Task<Result<void>> Session::send_rows(store::StreamId id, Stream& stream, store::OutboxItem item) {
  const auto info = outbox_.find(id);
  if (!info) co_return Error{Code::NotFound, "a stream vanished from the store"};
  auto rows = record::adapt(std::move(item.rows), info->schema);
  if (!rows) co_return std::move(rows).error();
  item.rows = std::move(*rows);
  INFINIEDGE_CO_TRY(co_await introduce(id, stream, info->schema));
  const std::size_t most = record::max_block_rows(*info->schema);
  for (std::size_t begin = 0; begin < item.rows.rows(); begin += most) {
    const std::size_t count = std::min(most, item.rows.rows() - begin);
    if (outdated(stream)) break;
    auto part = part_of(item, begin, count);
    INFINIEDGE_CO_TRY(co_await send_part(id, stream, std::move(part)));
  }
  co_return Result<void>{};
}

Task<Result<void>> Session::send_part(store::StreamId id, Stream& stream, store::OutboxItem part) {
  const std::uint64_t rows = part.rows.rows();
  const bool withheld = rows != part.to - part.from + 1;
  auto block = record::encode_block(part.rows, devices_, withheld);
  const bool too_long = !block || block->size() > limit_of(stream.lane);
  if (too_long && rows > 1) {
    auto first = part_of(part, 0, rows / 2), second = part_of(part, rows / 2, rows - rows / 2);
    INFINIEDGE_CO_TRY(co_await send_part(id, stream, std::move(first)));
    if (outdated(stream)) co_return Result<void>{};
    co_return co_await send_part(id, stream, std::move(second));
  }
  if (!block) co_return std::move(block).error();
  INFINIEDGE_CO_TRY(co_await send_definitions(stream.lane));
  Frame frame = Data{.stream = id,
                     .epoch = part.epoch,
                     .from = part.from,
                     .to = part.to,
                     .rows = static_cast<std::uint32_t>(rows),
                     .block = std::move(*block)};
  std::string message = encode(frame, stream.lane);
  if (outdated(stream)) co_return Result<void>{};
  sending();
  stream.progress.sent(part.epoch, {part.from, part.to}, rows);
  credit_[static_cast<std::size_t>(stream.lane)] -= static_cast<std::int64_t>(message.size());
  tally_.sent_rows += rows;
  tally_.sent_bytes += message.size();
  arbiter_.sent(stream.lane, message.size(), clock_.now());
  co_return co_await link_->send(std::move(message));
}

Task<Result<void>> Session::introduce(store::StreamId id, Stream& stream, const SchemaPtr& schema) {
  if (stream.introduced == schema || (stream.introduced && *stream.introduced == *schema)) {
    co_return Result<void>{};
  }
  record::StreamDefinition definition{.id = id, .schema = *schema};
  definition.policy.lane = stream.lane;
  stream.introduced = schema;
  Frame frame = SchemaFrame{std::move(definition)};
  co_return co_await transmit(std::move(frame), stream.lane);
}

Task<Result<void>> Session::send_definitions(record::Lane lane) {
  const auto devices = devices_.take_fresh();
  for (const auto& device : devices) {
    Frame frame = SchemaFrame{device};
    INFINIEDGE_CO_TRY(co_await transmit(std::move(frame), lane));
  }
  co_return Result<void>{};
}

Task<Result<void>> Session::transmit(Frame frame, record::Lane lane) {
  co_return co_await link_->send(encode(frame, lane));
}

bool Session::outdated(const Stream& stream) const {
  return reason_.has_value() || stream.refused || stream.progress.generation() != stream.reading;
}

void Session::sending() {
  const bool idle = std::all_of(streams_.begin(), streams_.end(),
                                [](const auto& each) { return each.second.progress.idle(); });
  if (idle) progress_at_ = clock_.now();
}

}  // namespace infiniedge::sync
