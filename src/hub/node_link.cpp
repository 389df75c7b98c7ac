// SPDX-License-Identifier: Apache-2.0
#include "hub/node_link.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "record/block.hpp"
#include "record/evolve.hpp"

namespace infiniedge::hub {
namespace {

constexpr std::size_t kMaxDevices = 65'536, kMaxSchemas = 256;
/// Epochs of one stream that a Welcome reports; the later ones are learnt from Acks.
constexpr std::uint32_t kMaxEpochs = 64;
/// Keeps a Welcome below the longest message; what it leaves out is learnt from Acks too.
constexpr std::size_t kMaxCovers = sync::kMaxStreams;

std::size_t index(record::Lane lane) { return static_cast<std::size_t>(lane); }

/// What a node hears of `error`: codes of the store's disk mean "later", not "never".
sync::ErrorFrame refusal(const Error& error, std::uint32_t stream = 0) {
  const bool later = error.code() == Code::Exhausted || error.code() == Code::Unavailable;
  return {stream, error.code(), error.message().substr(0, 1024), later ? 10U : 0U};
}

}  // namespace

Task<Result<void>> NodeLink::send(sync::Frame frame) {
  co_return co_await link_->send(sync::encode(frame));
}

Task<Error> NodeLink::run() {
  auto result = co_await greet();
  while (result) {
    auto raw = co_await link_->receive();
    if (!raw) {
      link_->close();
      co_return std::move(raw).error();
    }
    last_seen_ = ledger_.clock.wall();
    auto message = sync::decode(base::as_bytes(*raw));
    if (!message) {
      result = std::move(message).error();
    } else {
      result = co_await handle(std::move(*message), raw->size());
    }
  }
  ledger_.refused.add();
  sync::Frame last = refusal(result.error());
  static_cast<void>(co_await send(std::move(last)));
  link_->close();
  co_return std::move(result).error();
}

Task<Result<void>> NodeLink::greet() {
  auto raw = co_await link_->receive();
  if (!raw) co_return std::move(raw).error();
  auto message = sync::decode(base::as_bytes(*raw));
  if (!message) co_return std::move(message).error();
  auto* hello = std::get_if<sync::Hello>(&message->frame);
  if (hello == nullptr) co_return Error{Code::Invalid, "a connection begins with a Hello"};
  if (hello->version != sync::kVersion) {
    co_return Error{Code::Unsupported,
                    fmt::format("this hub speaks version {} of sync, the node version {}: upgrade "
                                "the older of the two",
                                sync::kVersion, hello->version)};
  }
  if (hello->gateway == ledger_.inbox.gateway()) {
    co_return Error{Code::Invalid,
                    "this hub is the node itself: the address of the uplink is wrong"};
  }
  INFINIEDGE_CO_TRY(admit_(*hello));
  hello_ = std::move(*hello);
  last_seen_ = ledger_.clock.wall();
  greeted_ = true;
  sync::Frame welcome = make_welcome();
  co_return co_await send(std::move(welcome));
}

sync::Welcome NodeLink::make_welcome() const {
  sync::Welcome welcome{.hub = ledger_.inbox.gateway()};
  for (const auto& offer : hello_.streams) {
    const auto info = ledger_.inbox.find(offer.name, hello_.gateway);
    if (!info) continue;
    const auto say = [&](std::uint32_t epoch) {
      auto ranges = ledger_.inbox.covered(info->id, epoch);
      if (ranges.empty() || welcome.covers.size() >= kMaxCovers) return;
      // The first says where to go on, the last how far the node had come.
      if (ranges.size() > 2) ranges = {ranges.front(), ranges.back()};
      welcome.covers.push_back({offer.id, epoch, std::move(ranges)});
    };
    const std::uint32_t first = std::max(offer.first_epoch, 1U);
    for (std::uint32_t i = 0; i < kMaxEpochs && offer.epoch - first >= i; ++i) say(first + i);
    // A later epoch than the node's own: its disk went back in time.
    if (info->epoch > offer.epoch) say(info->epoch);
  }
  for (auto lane = index(hello_.first_lane); lane <= index(hello_.last_lane); ++lane) {
    welcome.credit.push_back({static_cast<record::Lane>(lane), ledger_.credit[lane]});
  }
  return welcome;
}

Task<Result<void>> NodeLink::handle(sync::Message message, std::size_t bytes) {
  if (auto* schema = std::get_if<sync::SchemaFrame>(&message.frame)) {
    co_return co_await take(std::move(schema->definition), message.lane);
  }
  if (auto* data = std::get_if<sync::Data>(&message.frame)) {
    co_return co_await take(std::move(*data), message.lane, bytes);
  }
  if (auto* gap = std::get_if<sync::GapFrame>(&message.frame)) {
    co_return co_await take(std::move(gap->gap));
  }
  co_return Error{Code::Invalid, "a message that only a hub sends, or a second Hello"};
}

Task<Result<void>> NodeLink::take(record::Definition definition, record::Lane) {
  if (auto* device = std::get_if<record::DeviceDefinition>(&definition)) {
    const bool known = devices_.name_of(device->id).has_value();
    if (!known && devices_.names().size() >= kMaxDevices) {
      co_return Error{Code::Exhausted, "more than 65,536 devices on one connection"};
    }
    devices_.restore(device->id, device->name);
    co_return Result<void>{};
  }
  if (auto* stream = std::get_if<record::StreamDefinition>(&definition)) {
    co_return co_await take_stream(std::move(*stream));
  }
  co_return Result<void>{};  // Labels: this hub keeps every remote row at the strictest one.
}

Task<Result<void>> NodeLink::take_stream(record::StreamDefinition definition) {
  if (!streams_.contains(definition.id) && streams_.size() >= sync::kMaxStreams) {
    co_return Error{Code::Exhausted, "more than 65,536 streams on one connection"};
  }
  Stream& stream = streams_[definition.id];
  if (stream.refused) co_return Result<void>{};
  if (stream.schemas.size() >= kMaxSchemas) {
    co_return Error{Code::Exhausted, "more than 256 schemas of one stream on one connection"};
  }
  // Label numbers mean nothing outside the node: the default is the strictest there is.
  definition.schema.label = LabelId::Default;
  const auto schema = std::make_shared<const Schema>(std::move(definition.schema));
  record::StreamPolicy policy{.lane = definition.policy.lane};
  auto local = co_await ledger_.inbox.declare(hello_.gateway, schema, std::move(policy));
  if (!local) {
    if (local.error().code() != Code::Invalid) co_return std::move(local).error();
    stream.refused = true;
    ledger_.refused.add();
    sync::Frame frame = refusal(local.error(), definition.id);
    co_return co_await send(std::move(frame));
  }
  stream.local = *local;
  stream.schemas[schema->version] = schema;
  co_return Result<void>{};
}

Result<NodeLink::Stream*> NodeLink::find(std::uint32_t wire, std::uint32_t epoch) {
  const auto found = streams_.find(wire);
  if (found == streams_.end()) {
    return Error{Code::Invalid, "rows of a stream that no Schema introduced"};
  }
  if (epoch > hello_.epoch) return Error{Code::Invalid, "rows of an epoch above that of the Hello"};
  return &found->second;
}

Task<Result<void>> NodeLink::repay(record::Lane lane, std::size_t bytes) {
  auto& owed = owed_[index(lane)];
  owed += bytes;
  if (owed < ledger_.credit[index(lane)] / 4) co_return Result<void>{};
  sync::Frame frame = sync::Credit{lane, std::exchange(owed, 0)};
  co_return co_await send(std::move(frame));
}

Task<Result<void>> NodeLink::take(sync::Data data, record::Lane lane, std::size_t bytes) {
  if (lane < hello_.first_lane || lane > hello_.last_lane) {
    co_return Error{Code::Invalid, "rows in a lane that the Hello did not name"};
  }
  auto stream = find(data.stream, data.epoch);
  if (!stream) co_return std::move(stream).error();
  if (!(*stream)->refused) INFINIEDGE_CO_TRY(co_await store_rows(**stream, std::move(data)));
  co_return co_await repay(lane, bytes);
}

Task<Result<bool>> NodeLink::answered(Stream& stream, std::uint32_t wire, std::uint32_t epoch,
                                      sync::Range range) {
  const auto covered = ledger_.inbox.covered(stream.local, epoch);
  if (sync::covers(covered, range)) {
    ledger_.repeated.add();
    INFINIEDGE_CO_TRY(co_await acknowledge(stream, wire, epoch));
    co_return true;
  }
  const std::uint64_t expected = sync::high_water(covered) + 1;
  if (!hello_.ordered || range.from <= expected) {
    stream.nacked = 0;
    co_return false;
  }
  // All that was on its way behind the hole comes too: one Nack is enough for it.
  if (stream.nacked != expected || stream.nacked_epoch != epoch) {
    stream.nacked = expected;
    stream.nacked_epoch = epoch;
    sync::Frame frame = sync::Nack{wire, epoch, expected};
    INFINIEDGE_CO_TRY(co_await send(std::move(frame)));
  }
  co_return true;
}

Task<Result<void>> NodeLink::store_rows(Stream& stream, sync::Data data) {
  auto batch = unpack(stream, data);
  if (!batch) co_return std::move(batch).error();
  auto turn = co_await ledger_.turns.take(stream.local);
  if (!turn) co_return std::move(turn).error();
  auto done = co_await answered(stream, data.stream, data.epoch, {data.from, data.to});
  if (!done) co_return std::move(done).error();
  if (*done) co_return Result<void>{};
  INFINIEDGE_CO_TRY(co_await ledger_.inbox.append(std::move(*batch)));
  ledger_.rows.add(data.rows);
  co_return co_await acknowledge(stream, data.stream, data.epoch);
}

Result<store::RemoteBatch> NodeLink::unpack(const Stream& stream, const sync::Data& data) const {
  const auto block = base::as_bytes(data.block);
  auto header = record::block_header(block);
  if (!header) return std::move(header).error();
  const auto schema = stream.schemas.find(header->schema_version);
  if (schema == stream.schemas.end()) {
    return Error{Code::Invalid, "rows of a schema version that was not introduced"};
  }
  auto rows = record::decode_block(block, schema->second, devices_);
  if (!rows) return std::move(rows).error();
  if (rows->rows() != data.rows) return Error{Code::Corrupt, "a block of another number of rows"};
  const bool whole = data.rows - 1 == data.to - data.from;
  const auto& seq = rows->seq;
  if (seq.empty() && !whole) return Error{Code::Corrupt, "withheld rows without their numbers"};
  for (std::size_t i = 0; i < seq.size(); ++i) {
    const bool inside = seq[i] >= data.from && seq[i] <= data.to;
    if (!inside || (i > 0 && seq[i] <= seq[i - 1])) {
      return Error{Code::Corrupt, "rows whose numbers do not ascend within their range"};
    }
  }
  return store::RemoteBatch{.stream = stream.local,
                            .epoch = data.epoch,
                            .from = data.from,
                            .to = data.to,
                            .rows = std::move(*rows)};
}

Task<Result<void>> NodeLink::take(record::Gap gap) {
  const std::uint32_t wire = gap.stream;
  auto found = find(wire, gap.epoch);
  if (!found) co_return std::move(found).error();
  Stream& stream = **found;
  if (stream.refused) co_return Result<void>{};
  auto turn = co_await ledger_.turns.take(stream.local);
  if (!turn) co_return std::move(turn).error();
  const std::uint32_t epoch = gap.epoch;
  auto done = co_await answered(stream, wire, epoch, {gap.from_seq, gap.to_seq});
  if (!done) co_return std::move(done).error();
  if (*done) co_return Result<void>{};
  gap.stream = stream.local;
  INFINIEDGE_CO_TRY(co_await ledger_.inbox.append_gap(std::move(gap)));
  co_return co_await acknowledge(stream, wire, epoch);
}

Task<Result<void>> NodeLink::acknowledge(const Stream& stream, std::uint32_t wire,
                                         std::uint32_t epoch) {
  sync::StreamCover cover{.stream = wire, .epoch = epoch};
  cover.ranges = ledger_.inbox.covered(stream.local, epoch);
  sync::Frame frame = sync::Ack{std::move(cover)};
  co_return co_await send(std::move(frame));
}

}  // namespace infiniedge::hub
