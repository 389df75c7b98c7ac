// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "runtime/entropy.hpp"
#include "runtime/metrics.hpp"
#include "runtime/scope.hpp"
#include "sync/arbiter.hpp"
#include "sync/dialer.hpp"
#include "sync/outbox.hpp"
#include "sync/session.hpp"

namespace infiniedge::sync {

enum class LinkState : std::uint8_t { Connected, Connecting, Down };

constexpr std::string_view to_string(LinkState state) {
  constexpr std::string_view kNames[] = {"connected", "connecting", "down"};
  return kNames[static_cast<int>(state)];
}

/// Delivers the rows of the streams whose policy names this uplink to one hub: two connections,
/// lanes alarm and high on one, normal and bulk on the other, kept up for ever.
///
/// Flow:    store -> [Uplink] -> hub
/// Thread:  the store's shard.
/// Owner:   app; stop() before destruction. Outbox and Dialer are its own, the rest outlives it.
/// Errors:  none leave it: they are in state(), in the log, and retried after a random time below
///          min(60 s, 0.5·2^n s); what a person must mend (Denied, Invalid, Unsupported) each
///          minute.
class Uplink {
 public:
  struct State {
    LinkState link = LinkState::Down;
    std::uint64_t backlog_rows = 0;
    std::uint64_t backlog_bytes = 0;  ///< On the wire, estimated from what was sent so far.
    std::uint64_t acked_rows = 0;     ///< Since the start of the process.
    std::uint64_t gap_rows = 0;
    double rate_rows = 0;      ///< Acknowledged a second, over the last ten.
    std::string last_error{};  ///< Of the failure since the link was last up; empty: none.
    Timestamp since{};         ///< `link` is so since then.
  };

  Uplink(boost::asio::any_io_executor executor, std::unique_ptr<Outbox> outbox,
         std::unique_ptr<Dialer> dialer, Clock& clock, runtime::Entropy& entropy,
         runtime::Metrics& metrics, UplinkOptions options);
  ~Uplink();

  void start();
  /// Ends the connections. What is not acknowledged stays in the outbox.
  Task<void> stop();
  State state() const;

 private:
  static constexpr std::size_t kConnections = 2;
  struct Connection {
    Session* session = nullptr;  ///< While one runs.
    unsigned attempts = 0;       ///< Failures since the hub last welcomed it.
    bool failed = false;
  };
  struct LaneGauges {
    runtime::Gauge *rows = nullptr, *bytes = nullptr;
  };

  Task<void> keep(std::size_t index);
  Task<Error> connect(std::size_t index);
  void failed(Connection& connection, const Error& reason);
  Micros delay(const Connection& connection, Code code);
  Task<void> tick();
  void publish();
  LinkState link() const;
  std::array<std::uint64_t, kLanes> backlog() const;
  double bytes_per_row() const;

  boost::asio::any_io_executor executor_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Dialer> dialer_;
  Clock& clock_;
  runtime::Entropy& entropy_;
  UplinkOptions options_;
  Arbiter arbiter_;
  Tally tally_;
  std::array<Connection, kConnections> connections_{};
  bool stopping_ = false;
  std::string last_error_;
  LinkState shown_ = LinkState::Down;
  Timestamp since_{};
  std::deque<std::uint64_t> acknowledged_;  ///< Tally at the last ticks, a second apart.
  std::uint64_t published_gaps_ = 0;
  std::array<LaneGauges, kLanes> gauges_{};
  runtime::Gauge& drain_;
  runtime::Counter& gap_rows_;
  runtime::Counter& reconnects_;
  Outbox::Subscription subscription_;
  runtime::Scope scope_;
};

/// The uplink of a running node. Errors: Invalid, for an address that cannot be used.
Result<std::unique_ptr<Uplink>> make_uplink(boost::asio::any_io_executor executor,
                                            store::Store& store, Clock& clock,
                                            runtime::Entropy& entropy, runtime::Metrics& metrics,
                                            UplinkOptions options);

}  // namespace infiniedge::sync
