// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/mqtt/session.hpp"
#include "device/outcome.hpp"
#include "device/replay/plug_plan.hpp"
#include "device/stop.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::device::replay {

/// Simulated smart plugs that replay recorded appliances through a real broker: the
/// demonstration's devices. Each plug publishes
///   plugs/<n>/power      JSON {"time": µs, "power": W}, once a second: what the appliance
///                        draws while it is on (see plaid_power), else 0;
///   plugs/<n>/switch-on  binary: i64 time in µs, u32 index of the recording, float32 samples.
/// Little-endian. The order of messages follows from the options alone.
///
/// Flow:    recordings -> [PlugFleet] -> broker -> device::mqtt
/// Thread:  shard-bound; the file is read on a worker.
/// Owner:   app's demonstration; stop() before destruction.
/// Errors:  run(): Invalid, NotFound (file), Denied (login). A broker that is away is waited
///          for: each message is sent again until the broker has acknowledged it, so nothing is
///          lost, and one may come twice.
class PlugFleet {
 public:
  struct Options {
    std::string address;  ///< mqtt[s]://HOST[:PORT]
    std::string username, password, ca;
    std::string recordings;  ///< Path of PLAID_TEST.ts.
    RatedPower rated = plaid_power();
    PlugPlanOptions plan;
    double speed = 1;  ///< Recorded seconds that pass in one.
  };
  struct Progress {
    std::size_t published = 0;  ///< Switch-ons that the broker has acknowledged.
    std::size_t total = 0;      ///< Known once run() has read the file.
    std::uint64_t messages = 0;
    bool done = false;
  };

  PlugFleet(Environment environment, Options options);

  /// Completes when everything is published, or after stop().
  Task<Result<void>> run();
  Task<void> stop();

  Progress progress() const { return progress_; }
  /// The truth by recording index, once run() has read the file.
  const std::vector<std::string>& labels() const { return labels_; }

 private:
  struct Plug {
    Micros until{0};
    double watts = 0;
  };

  Result<void> load();
  Task<Result<void>> play();
  Task<Result<void>> switch_on(const SwitchOn& event);
  Task<Result<void>> report_power(Micros at, int plug);
  Task<bool> wait_until(Micros at);
  Task<Result<void>> publish(std::string topic, std::string payload);
  Task<Result<void>> connect();
  std::int64_t time_of(Micros at) const;

  Environment environment_;
  Options options_;
  std::vector<Recording> recordings_;
  std::vector<std::string> labels_;
  std::vector<SwitchOn> plan_;
  std::vector<Plug> plugs_;
  std::unique_ptr<mqtt::Session> session_;
  Instant began_{};
  Timestamp start_{};
  Progress progress_;
  Stop stop_;
  Outcome done_;
  bool running_ = false;
};

}  // namespace infiniedge::device::replay
