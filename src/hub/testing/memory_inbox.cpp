// SPDX-License-Identifier: Apache-2.0
#include "hub/testing/memory_inbox.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace infiniedge::hub::testing {

class MemoryInbox::View final : public Inbox {
 public:
  explicit View(MemoryInbox& box) : box_(box) {}

  record::GatewayId gateway() const override {
    record::GatewayId id;
    id.fill(std::byte{0xff});
    return id;
  }
  std::vector<store::StreamInfo> streams() const override {
    std::vector<store::StreamInfo> out;
    for (const auto& [id, stream] : box_.streams_) out.push_back(stream.info);
    return out;
  }
  std::optional<store::StreamInfo> find(std::string_view name,
                                        const record::GatewayId& origin) const override {
    for (const auto& [id, stream] : box_.streams_) {
      if (stream.info.schema->stream == name && stream.info.origin == origin) return stream.info;
    }
    return std::nullopt;
  }
  Task<Result<store::StreamId>> declare(record::GatewayId origin, SchemaPtr schema,
                                        record::StreamPolicy policy) override {
    INFINIEDGE_CO_TRY(co_await box_.settle());
    if (schema->stream == "refused") co_return Error{Code::Invalid, "a field changed its type"};
    if (const auto known = find(schema->stream, origin)) co_return known->id;
    const auto id = static_cast<store::StreamId>(100 + box_.streams_.size());
    auto& info = box_.streams_[id].info;
    info.id = id;
    info.origin = origin;
    info.schema = std::move(schema);
    info.policy = std::move(policy);
    co_return id;
  }
  sync::Ranges covered(store::StreamId stream, std::uint32_t epoch) const override {
    const auto& covered = box_.streams_.at(stream).covered;
    const auto found = covered.find(epoch);
    return found == covered.end() ? sync::Ranges{} : found->second;
  }
  Task<Result<void>> append(store::RemoteBatch batch) override {
    INFINIEDGE_CO_TRY(co_await box_.settle());
    auto& stream = box_.streams_.at(batch.stream);
    auto& covered = stream.covered[batch.epoch];
    for (std::size_t i = 0; i < batch.rows.rows(); ++i) {
      const std::uint64_t seq = batch.rows.seq.empty() ? batch.from + i : batch.rows.seq[i];
      if (sync::covers(covered, {seq, seq})) continue;
      stream.rows.push_back({batch.epoch, seq, batch.rows.columns[0].ints()[i]});
    }
    sync::add(covered, {batch.from, batch.to});
    stream.info.epoch = std::max(stream.info.epoch, batch.epoch);
    co_return Result<void>{};
  }
  Task<Result<void>> append_gap(record::Gap gap) override {
    INFINIEDGE_CO_TRY(co_await box_.settle());
    auto& stream = box_.streams_.at(gap.stream);
    sync::add(stream.covered[gap.epoch], {gap.from_seq, gap.to_seq});
    stream.info.epoch = std::max(stream.info.epoch, gap.epoch);
    box_.gaps_.push_back(std::move(gap));
    co_return Result<void>{};
  }
  std::uint64_t rows(store::StreamId stream) override {
    return box_.streams_.at(stream).rows.size();
  }

 private:
  MemoryInbox& box_;
};

Task<Result<void>> MemoryInbox::settle() {
  const std::uint64_t life = life_;
  for (std::uint64_t i = entropy_.u64() % 3; i-- > 0;) {
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (!failures.empty()) {
    const Code code = failures.back();
    failures.pop_back();
    co_return Error{code, "the simulated disk said so"};
  }
  if (life != life_) co_return Error{Code::Unavailable, "the hub went down"};
  co_return Result<void>{};
}

std::vector<MemoryInbox::Row> MemoryInbox::rows(const std::string& name,
                                                const record::GatewayId& origin) const {
  for (const auto& [id, stream] : streams_) {
    if (stream.info.schema->stream == name && stream.info.origin == origin) return stream.rows;
  }
  return {};
}

std::unique_ptr<Inbox> MemoryInbox::view() { return std::make_unique<View>(*this); }

}  // namespace infiniedge::hub::testing
