// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "hub/inbox.hpp"
#include "hub/turns.hpp"
#include "record/device_table.hpp"
#include "runtime/metrics.hpp"
#include "sync/frame.hpp"
#include "sync/link.hpp"

namespace infiniedge::hub {

/// What all links of a hub share.
struct Ledger {
  Inbox& inbox;
  Clock& clock;
  Turns& turns;
  runtime::Counter& rows;      ///< Taken.
  runtime::Counter& repeated;  ///< Messages that brought nothing new.
  runtime::Counter& refused;   ///< Messages that were wrong.
  /// Bytes that a node may send unacknowledged, by lane.
  std::array<std::uint64_t, sync::kLanes> credit;
};

/// The hub's end of one connection. Everything in it came from outside and is checked; what is
/// wrong ends this connection, or refuses one stream, and touches nothing else.
///
/// Flow:    Link -> [NodeLink] -> Inbox
/// Thread:  the store's shard; one message at a time, the next is read when it is durable.
/// Owner:   Ingest; run() is awaited before destruction.
/// Errors:  run() returns why the connection ended; the node was told if it can still hear.
class NodeLink {
 public:
  /// Decides whether `principal` may speak for the gateway of a Hello; keeps the list of nodes.
  using Admit = std::function<Result<void>(const sync::Hello&)>;

  NodeLink(Ledger& ledger, std::shared_ptr<sync::Link> link, Admit admit)
      : ledger_(ledger), link_(std::move(link)), admit_(std::move(admit)) {}

  Task<Error> run();
  void close() { link_->close(); }
  bool greeted() const { return greeted_; }
  const sync::Hello& hello() const { return hello_; }
  Timestamp last_seen() const { return last_seen_; }

 private:
  struct Stream {
    store::StreamId local = 0;
    bool refused = false;
    std::map<std::uint16_t, SchemaPtr> schemas;  ///< By version, as introduced.
    std::uint32_t nacked_epoch = 0;              ///< The Nack that still stands.
    std::uint64_t nacked = 0;
  };

  Task<Result<void>> greet();
  sync::Welcome make_welcome() const;
  Task<Result<void>> handle(sync::Message message, std::size_t bytes);
  Task<Result<void>> take(record::Definition definition, record::Lane lane);
  Task<Result<void>> take_stream(record::StreamDefinition definition);
  Task<Result<void>> take(sync::Data data, record::Lane lane, std::size_t bytes);
  Task<Result<void>> store_rows(Stream& stream, sync::Data data);
  Result<store::RemoteBatch> unpack(const Stream& stream, const sync::Data& data) const;
  Task<Result<void>> take(record::Gap gap);
  /// Nothing: go on. Else a Nack, or nothing said again, or an Ack: done.
  Task<Result<bool>> answered(Stream& stream, std::uint32_t wire, std::uint32_t epoch,
                              sync::Range range);
  Task<Result<void>> acknowledge(const Stream& stream, std::uint32_t wire, std::uint32_t epoch);
  Result<Stream*> find(std::uint32_t wire, std::uint32_t epoch);
  /// Credit keeps a node from filling the line; a node that ignores it gains nothing, since one
  /// message is read at a time.
  Task<Result<void>> repay(record::Lane lane, std::size_t bytes);
  Task<Result<void>> send(sync::Frame frame);

  Ledger& ledger_;
  std::shared_ptr<sync::Link> link_;
  Admit admit_;
  sync::Hello hello_;
  bool greeted_ = false;
  Timestamp last_seen_{};
  std::map<std::uint32_t, Stream> streams_;
  record::DeviceTable devices_;
  std::array<std::uint64_t, sync::kLanes> owed_{};
};

}  // namespace infiniedge::hub
