// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace infiniedge::sync {

/// What sending needs of a store; the methods promise what those of store::Store do.
///
/// Flow:    store -> [Outbox] -> session -> link
/// Thread:  the store's shard.
/// Owner:   the uplink; the store behind it outlives it.
class Outbox {
 public:
  using Subscription = std::shared_ptr<const void>;

  virtual ~Outbox() = default;
  virtual record::GatewayId gateway() const = 0;
  virtual std::uint32_t epoch() const = 0;
  virtual std::vector<store::StreamInfo> streams() const = 0;
  virtual std::optional<store::StreamInfo> find(store::StreamId stream) const = 0;
  virtual Task<Result<std::vector<store::OutboxItem>>> read(store::StreamId stream,
                                                            std::uint32_t epoch,
                                                            std::uint64_t after,
                                                            std::size_t max_rows,
                                                            std::size_t max_bytes) = 0;
  virtual store::Cursor cursor(const std::string& peer, store::StreamId stream) const = 0;
  virtual void advance(const store::Cursor& cursor) = 0;
  virtual store::Backlog backlog(const std::string& peer, store::StreamId stream) const = 0;
  [[nodiscard]] virtual Subscription on_durable(std::function<void(store::StreamId)> listener) = 0;
  virtual Task<Result<void>> raise_epoch(std::string reason) = 0;
};

std::unique_ptr<Outbox> make_outbox(store::Store& store);

}  // namespace infiniedge::sync
