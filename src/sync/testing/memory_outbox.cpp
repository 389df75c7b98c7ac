// SPDX-License-Identifier: Apache-2.0
#include "sync/testing/memory_outbox.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "record/value.hpp"

namespace infiniedge::sync::testing {

class MemoryOutbox::View final : public Outbox {
 public:
  explicit View(MemoryOutbox& box) : box_(box) {}

  record::GatewayId gateway() const override { return box_.gateway_; }
  std::uint32_t epoch() const override { return box_.epoch_; }
  std::vector<store::StreamInfo> streams() const override {
    std::vector<store::StreamInfo> out;
    for (const auto& [id, stream] : box_.streams_) out.push_back(stream.info);
    return out;
  }
  std::optional<store::StreamInfo> find(store::StreamId id) const override {
    const auto found = box_.streams_.find(id);
    if (found == box_.streams_.end()) return std::nullopt;
    return found->second.info;
  }
  Task<Result<std::vector<store::OutboxItem>>> read(store::StreamId id, std::uint32_t epoch,
                                                    std::uint64_t after, std::size_t max_rows,
                                                    std::size_t) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return box_.read(box_.streams_.at(id), epoch, after, max_rows);
  }
  store::Cursor cursor(const std::string& peer, store::StreamId id) const override {
    const auto found = box_.cursors_.find({peer, id});
    if (found == box_.cursors_.end() || found->second.empty()) return {peer, id, 0, 0};
    return found->second.back();
  }
  void advance(const store::Cursor& to) override {
    const auto now = cursor(to.peer, to.stream);
    if (std::pair{to.epoch, to.hwm} > std::pair{now.epoch, now.hwm}) {
      box_.cursors_[{to.peer, to.stream}].push_back(to);
    }
  }
  store::Backlog backlog(const std::string& peer, store::StreamId id) const override {
    const auto at = cursor(peer, id);
    const auto& rows = box_.rows(id);
    const auto left = std::count_if(rows.begin(), rows.end(), [&](const Row& row) {
      return std::pair{row.epoch, row.seq} > std::pair{at.epoch, at.hwm};
    });
    return {.rows = static_cast<std::uint64_t>(left)};
  }
  Subscription on_durable(Listener listener) override {
    const auto at = box_.listeners_.insert(box_.listeners_.end(), std::move(listener));
    return {static_cast<const void*>(&*at),
            [box = &box_, at](const void*) { box->listeners_.erase(at); }};
  }
  Task<Result<void>> raise_epoch(std::string) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    ++box_.epoch_;
    co_return Result<void>{};
  }

 private:
  MemoryOutbox& box_;
};

store::StreamId MemoryOutbox::declare(const std::string& name, record::Lane lane,
                                      const std::string& uplink) {
  const auto id = static_cast<store::StreamId>(streams_.size() + 1);
  Schema schema{.stream = name};
  schema.fields = {{.id = kFirstField, .name = "value", .type = Type::Int}};
  auto& info = streams_[id].info;
  info.id = id;
  info.schema = std::make_shared<const Schema>(std::move(schema));
  info.policy.lane = lane;
  info.policy.uplinks = {uplink};
  return id;
}

void MemoryOutbox::append(store::StreamId id, std::size_t rows) {
  auto& stream = streams_.at(id);
  if (stream.info.epoch != epoch_) {
    stream.info.epoch = epoch_;
    stream.info.last_seq = 0;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    stream.rows.push_back({epoch_, ++stream.info.last_seq, next_value_++});
  }
  for (const auto& listener : listeners_) listener(id);
}

void MemoryOutbox::evict(store::StreamId id, std::size_t count, bool named) {
  auto& stream = streams_.at(id);
  for (; count > 0 && stream.rows.size() > 1; --count) {
    const Row row = stream.rows.front();
    stream.rows.erase(stream.rows.begin());
    if (!named) continue;
    stream.gaps.push_back({.stream = id,
                           .epoch = row.epoch,
                           .from_seq = row.seq,
                           .to_seq = row.seq,
                           .rows = 1,
                           .reason = record::GapReason::Evicted});
  }
}

void MemoryOutbox::crash(std::size_t lost_rows) {
  for (auto& [id, stream] : streams_) {
    for (std::size_t i = 0; i < lost_rows && !stream.rows.empty(); ++i) stream.rows.pop_back();
    if (lost_rows == 0) continue;
    stream.info.epoch = stream.rows.empty() ? 0 : stream.rows.back().epoch;
    stream.info.last_seq = stream.rows.empty() ? 0 : stream.rows.back().seq;
  }
  for (auto& [key, history] : cursors_) {
    // Cursors are durable within a second: the last few steps may be gone.
    const std::size_t keep = entropy_.u64() % (history.size() + 1);
    history.resize(std::max(keep, history.size() > 4 ? history.size() - 4 : 0));
  }
}

std::vector<store::OutboxItem> MemoryOutbox::read(const Stream& stream, std::uint32_t epoch,
                                                  std::uint64_t after, std::size_t max_rows) {
  const auto beyond = [&](std::uint32_t e, std::uint64_t seq) {
    return std::pair{e, seq} > std::pair{epoch, after};
  };
  std::vector<store::OutboxItem> out;
  for (const auto& gap : stream.gaps) {
    if (!beyond(gap.epoch, gap.to_seq)) continue;
    out.push_back({.stream = stream.info.id,
                   .epoch = gap.epoch,
                   .from = gap.from_seq,
                   .to = gap.to_seq,
                   .rows = {},
                   .gap = gap});
    return out;
  }
  std::size_t left = std::min<std::size_t>(max_rows, 1 + entropy_.u64() % 20);
  for (const auto& row : stream.rows) {
    if (!beyond(row.epoch, row.seq)) continue;
    if (left-- == 0) break;
    if (out.empty() || out.back().epoch != row.epoch || entropy_.u64() % 6 == 0) {
      out.push_back({.stream = stream.info.id, .epoch = row.epoch, .from = row.seq});
      out.back().rows = record::make_batch(stream.info.schema);
      out.back().rows.devices = {"plug-1"};
    }
    auto& item = out.back();
    item.to = row.seq;
    item.rows.device.push_back(0);
    item.rows.ts.push_back(static_cast<std::int64_t>(row.seq));
    item.rows.quality.push_back(Quality::Good);
    item.rows.seq.push_back(row.seq);
    item.rows.columns[0].ints().push_back(row.value);
  }
  return out;
}

bool MemoryOutbox::drained(const std::string& peer) const {
  return std::all_of(streams_.begin(), streams_.end(), [&](const auto& each) {
    const auto& rows = each.second.rows;
    if (rows.empty()) return true;
    const auto found = cursors_.find({peer, each.first});
    if (found == cursors_.end() || found->second.empty()) return false;
    const auto& at = found->second.back();
    return std::pair{rows.back().epoch, rows.back().seq} <= std::pair{at.epoch, at.hwm};
  });
}

std::unique_ptr<Outbox> MemoryOutbox::view() { return std::make_unique<View>(*this); }

}  // namespace infiniedge::sync::testing
