// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hub/inbox.hpp"
#include "hub/node_link.hpp"
#include "hub/turns.hpp"
#include "infiniedge/time.hpp"
#include "runtime/http/http.hpp"
#include "runtime/metrics.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::hub {

/// A node as the hub knows it.
struct NodeInfo {
  struct Stream {
    std::string name;
    std::uint32_t epoch = 0;
    std::uint64_t high_water = 0;  ///< All rows of `epoch` up to here are durable at the hub.
    std::uint64_t rows = 0;        ///< Held here now, all epochs.
  };
  std::string gateway;  ///< UUID.
  std::string name;     ///< What it calls itself; empty if it has not called since the start.
  bool connected = false;
  Timestamp last_seen{};  ///< Zero: not since the start.
  std::vector<Stream> streams;
};

/// Receives the rows of nodes into this hub's store, each row exactly once in effect.
///
/// Flow:    nodes -> [Ingest] -> store
/// Thread:  the store's shard.
/// Owner:   app; close() before destruction. Its Inbox is its own; clock and metrics outlive it.
/// Errors:  a connection that breaks the rules gets an Error message and ends; others go on.
class Ingest {
 public:
  struct Options {
    std::uint64_t credit = std::uint64_t{1} << 20;       ///< Of lanes alarm, high, normal.
    std::uint64_t bulk_credit = std::uint64_t{4} << 20;  ///< Of lane bulk.
    Micros greeting{Seconds{30}};                        ///< Longest wait for a Hello.
  };

  Ingest(boost::asio::any_io_executor executor, std::unique_ptr<Inbox> inbox, Clock& clock,
         runtime::Metrics& metrics, Options options);
  Ingest(boost::asio::any_io_executor executor, store::Store& store, Clock& clock,
         runtime::Metrics& metrics)
      : Ingest(std::move(executor), make_inbox(store), clock, metrics, Options{}) {}
  ~Ingest();

  /// Runs one connection to its end. `principal` is whom the door let in: a token's name, or the
  /// URI infiniedge://gateway/<uuid> of a certificate, which then must be the Hello's gateway.
  Task<void> serve(std::shared_ptr<runtime::http::WebSocket> socket, std::string principal);
  /// Ends all connections and waits for them. Rows under way are stored or not acknowledged.
  Task<void> close();

  /// Nodes that are connected, or have rows here, by gateway.
  std::vector<NodeInfo> nodes() const;

 private:
  struct Node {
    std::string name, principal;
    Timestamp last_seen{};
  };
  Result<void> admit(const sync::Hello& hello, const std::string& principal, NodeLink& link);
  Task<void> expire(std::weak_ptr<NodeLink> link);

  boost::asio::any_io_executor executor_;
  std::unique_ptr<Inbox> inbox_;
  Clock& clock_;
  Options options_;
  Turns turns_;
  Ledger ledger_;
  runtime::Gauge& connections_;
  std::list<std::shared_ptr<NodeLink>> links_;
  std::map<record::GatewayId, Node> nodes_;
  bool closing_ = false;
  boost::asio::steady_timer drained_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::hub
