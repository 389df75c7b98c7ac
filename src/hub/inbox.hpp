// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "store/store.hpp"
#include "sync/covered.hpp"

namespace infiniedge::hub {

/// What receiving needs of a store; the methods promise what those of store::Store do.
///
/// Flow:    node link -> [Inbox] -> store
/// Thread:  the store's shard.
/// Owner:   Ingest; the store behind it outlives it.
class Inbox {
 public:
  virtual ~Inbox() = default;
  virtual record::GatewayId gateway() const = 0;
  /// Streams that other gateways number.
  virtual std::vector<store::StreamInfo> streams() const = 0;
  virtual std::optional<store::StreamInfo> find(std::string_view name,
                                                const record::GatewayId& origin) const = 0;
  virtual Task<Result<store::StreamId>> declare(record::GatewayId origin, SchemaPtr schema,
                                                record::StreamPolicy policy) = 0;
  virtual sync::Ranges covered(store::StreamId stream, std::uint32_t epoch) const = 0;
  /// Stores what is not covered and the cover in one record. Returns when both are durable.
  virtual Task<Result<void>> append(store::RemoteBatch batch) = 0;
  virtual Task<Result<void>> append_gap(record::Gap gap) = 0;
  /// Rows of `stream` that are here.
  virtual std::uint64_t rows(store::StreamId stream) = 0;
};

std::unique_ptr<Inbox> make_inbox(store::Store& store);

}  // namespace infiniedge::hub
