// SPDX-License-Identifier: Apache-2.0
#include "sync/outbox.hpp"
#include "sync/uplink.hpp"

namespace infiniedge::sync {
namespace {

class StoreOutbox final : public Outbox {
 public:
  explicit StoreOutbox(store::Store& store) : store_(store) {}

  record::GatewayId gateway() const override { return store_.gateway(); }
  std::uint32_t epoch() const override { return store_.epoch(); }
  std::vector<store::StreamInfo> streams() const override { return store_.streams(); }
  std::optional<store::StreamInfo> find(store::StreamId stream) const override {
    return store_.find(stream);
  }
  Task<Result<std::vector<store::OutboxItem>>> read(store::StreamId stream, std::uint32_t epoch,
                                                    std::uint64_t after, std::size_t max_rows,
                                                    std::size_t max_bytes) override {
    return store_.read_outbox(stream, epoch, after, max_rows, max_bytes);
  }
  store::Cursor cursor(const std::string& peer, store::StreamId stream) const override {
    return store_.cursor(peer, stream);
  }
  void advance(const store::Cursor& cursor) override { store_.advance_cursor(cursor); }
  store::Backlog backlog(const std::string& peer, store::StreamId stream) const override {
    return store_.backlog(peer, stream);
  }
  Subscription on_durable(std::function<void(store::StreamId)> listener) override {
    return store_.on_durable([listener = std::move(listener)](store::StreamId stream,
                                                              std::uint64_t) { listener(stream); });
  }
  Task<Result<void>> raise_epoch(std::string reason) override {
    return store_.raise_epoch(std::move(reason));
  }

 private:
  store::Store& store_;
};

}  // namespace

std::unique_ptr<Outbox> make_outbox(store::Store& store) {
  return std::make_unique<StoreOutbox>(store);
}

Result<std::unique_ptr<Uplink>> make_uplink(boost::asio::any_io_executor executor,
                                            store::Store& store, Clock& clock,
                                            runtime::Entropy& entropy, runtime::Metrics& metrics,
                                            UplinkOptions options) {
  auto dialer = make_dialer(executor, options);
  if (!dialer) return std::move(dialer).error();
  return std::make_unique<Uplink>(executor, make_outbox(store), std::move(*dialer), clock, entropy,
                                  metrics, std::move(options));
}

}  // namespace infiniedge::sync
