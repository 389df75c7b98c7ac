// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "hub/ingest.hpp"
#include "hub/testing/memory_inbox.hpp"
#include "runtime/testing/sim_clock.hpp"
#include "sync/testing/memory_outbox.hpp"
#include "sync/testing/sim_link.hpp"
#include "sync/uplink.hpp"

namespace infiniedge::hub::testing {

constexpr const char* kUplink = "plant-hub";

record::GatewayId gateway_of(unsigned char fill);

/// A node and a hub over simulated links, in virtual time, from one seed.
///
/// Thread: the test's.
class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();

  void start_hub();
  void stop_hub(bool crash);
  bool hub_up() const { return hub_ != nullptr; }
  void start_node();
  void stop_node();
  bool node_up() const { return uplink_ != nullptr; }
  void cut();  ///< All connections at once.

  /// Runs what is ready, and turns the clock to what comes next, for `duration`.
  void run_for(Micros duration);
  /// The same until all is acknowledged; false after `limit`.
  bool drain(Micros limit);

  boost::asio::io_context context;
  runtime::SeededEntropy entropy;
  runtime::testing::SimClock clock;
  runtime::Metrics metrics;
  sync::testing::LinkFaults faults;
  Ingest::Options limits;
  sync::UplinkOptions options{.name = kUplink, .address = "https://hub", .node = "press"};
  record::GatewayId gateway = gateway_of(1);
  sync::testing::MemoryOutbox outbox{entropy, gateway};
  MemoryInbox inbox{entropy};

  sync::Uplink& uplink() { return *uplink_; }
  Ingest& hub() { return *hub_; }
  /// Opens a connection to the hub as a node would. Requires: hub_up().
  std::shared_ptr<sync::Link> connect(std::string principal = "node");

 private:
  class Dialer;
  void settle();
  void finish(Task<void> task);

  std::unique_ptr<Ingest> hub_;
  std::unique_ptr<sync::Uplink> uplink_;
  std::vector<std::shared_ptr<sync::Link>> ends_;
  runtime::Scope serving_{context.get_executor()};
};

}  // namespace infiniedge::hub::testing
