// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "hub/inbox.hpp"
#include "record/evolve.hpp"

namespace infiniedge::hub {
namespace {

class StoreInbox final : public Inbox {
 public:
  explicit StoreInbox(store::Store& store) : store_(store) {}

  record::GatewayId gateway() const override { return store_.gateway(); }

  std::vector<store::StreamInfo> streams() const override {
    auto all = store_.streams();
    std::erase_if(all, [](const auto& info) { return info.origin == record::GatewayId{}; });
    return all;
  }

  std::optional<store::StreamInfo> find(std::string_view name,
                                        const record::GatewayId& origin) const override {
    return store_.find(name, origin);
  }

  Task<Result<store::StreamId>> declare(record::GatewayId origin, SchemaPtr schema,
                                        record::StreamPolicy policy) override {
    const std::string name = schema->stream;
    auto id = co_await store_.declare_remote(origin, std::move(schema), std::move(policy));
    if (id || id.error().code() != Code::Stale) co_return id;
    // A node that went back to an older configuration: its rows fit the newer shape.
    const auto info = store_.find(name, origin);
    if (!info) co_return id;
    co_return info->id;
  }

  sync::Ranges covered(store::StreamId stream, std::uint32_t epoch) const override {
    sync::Ranges ranges;
    for (const auto& cover : store_.covered(stream, epoch)) {
      sync::add(ranges, {cover.from, cover.to});
    }
    return ranges;
  }

  Task<Result<void>> append(store::RemoteBatch batch) override {
    const auto info = store_.find(batch.stream);
    if (!info) co_return Error{Code::NotFound, "the stream is not declared"};
    auto rows = record::adapt(std::move(batch.rows), info->schema);
    if (!rows) co_return std::move(rows).error();
    batch.rows = std::move(*rows);
    auto covers = co_await store_.append_remote(std::move(batch));
    if (!covers) co_return std::move(covers).error();
    co_return Result<void>{};
  }

  Task<Result<void>> append_gap(record::Gap gap) override {
    return store_.append_gap(std::move(gap));
  }

  std::uint64_t rows(store::StreamId stream) override {
    const auto snapshot = store_.snapshot();
    if (snapshot != counted_) count(snapshot);
    const auto found = rows_.find(stream);
    return found == rows_.end() ? 0 : found->second;
  }

 private:
  void count(const store::SnapshotPtr& snapshot) {
    counted_ = snapshot;
    rows_.clear();
    for (const auto& table : snapshot->tables) {
      for (const auto& segment : table.segments) {
        for (const auto& range : segment->ranges) rows_[range.stream] += range.rows;
      }
      for (const auto& chunk : table.chunks) {
        for (const auto& run : chunk->runs) rows_[run.stream] += run.count;
      }
    }
  }

  store::Store& store_;
  // The snapshot pins files: replaced with each count, and counts come about once a second.
  store::SnapshotPtr counted_;
  std::map<store::StreamId, std::uint64_t> rows_;
};

}  // namespace

std::unique_ptr<Inbox> make_inbox(store::Store& store) {
  return std::make_unique<StoreInbox>(store);
}

}  // namespace infiniedge::hub
