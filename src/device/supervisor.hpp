// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/latest.hpp"
#include "device/outcome.hpp"
#include "device/registry.hpp"
#include "infiniedge/connector.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::device {

/// What a device's resource shows under `status`.
struct Status {
  struct PointStatus {
    std::string name;
    std::string value;  ///< As in JSON; `null` before the first.
    Quality quality;
    std::string reason;  ///< OPC UA's name of the fault; empty when good.
    Timestamp time;      ///< Of the latest sample; the epoch before the first.
  };

  bool ready = false;
  std::string reason;   ///< Connecting, Connected, Stopped, or the error's code.
  std::string message;  ///< Sentence of the error and when the next try comes.
  std::uint64_t restarts = 0;
  std::uint64_t samples = 0;  ///< Rows.
  std::uint64_t bad = 0;      ///< Rows of Quality::Bad.
  double rate = 0;            ///< Rows a second, over about ten seconds.
  std::optional<Timestamp> last;
  std::vector<PointStatus> points;
};

/// Keeps one device's feed alive: opens the connector, reopens it for ever with back-off, counts
/// what comes, checks what is written.
///
/// Flow:   connector -> [Supervisor] -> sink
/// Thread: the device's shard.
/// Owner:  app; stop() before destruction. `registry` and `sink` outlive it.
/// Errors: Unavailable and Timeout of a connector, and rows that the sink does not take, are
///         retried: 0.5 s, doubling to 30 s, ± 20 %, anew after a healthy minute. Any other code
///         stops the feed, and stays as the device's condition; neighbours never notice.
class Supervisor final : private Outlet {
 public:
  Supervisor(std::string connector, DeviceSpec device, const Registry& registry,
             Environment environment, Outlet& sink);
  ~Supervisor() override;

  void start();
  /// Ends the feed and waits for what is in flight. Idempotent.
  Task<void> stop();

  const DeviceSpec& device() const { return device_; }
  const std::string& connector() const { return connector_name_; }
  Status status() const;

  /// Reads points now, past any cache; empty: all. Errors: NotFound with a suggestion,
  /// Unavailable while the feed is down, Unsupported by this connector.
  Task<Result<std::vector<PointValue>>> read(std::vector<std::string> points);
  /// Errors: Denied and Invalid by the points' WriteRule, NotFound, Unavailable, Unsupported.
  Task<Result<void>> write(std::vector<PointWrite> writes);

 private:
  struct Call;

  Task<Result<void>> push(Batch batch) override;
  void state(Result<void> state) override;

  Task<void> run();
  Task<Result<void>> attempt();
  Task<Result<void>> open_and_watch(std::shared_ptr<Connector> connector);
  Task<bool> back_off();
  void condition(bool ready, std::string reason, std::string message);
  void report(const Error& error, bool retry);
  Result<const Point*> find(std::string_view name) const;
  Result<std::shared_ptr<Connector>> connected() const;
  double decayed_rate() const;

  std::string connector_name_;
  DeviceSpec device_;
  const Registry& registry_;
  Environment environment_;
  Outlet& sink_;
  Latest latest_;
  runtime::Counter &samples_, &bad_samples_, &restarts_;
  Status status_;
  double rate_ = 0;
  Instant rate_at_{};
  Micros delay_{0};  ///< Of the last back-off; zero: start anew.
  std::optional<Instant> up_since_;
  std::shared_ptr<Connector> live_;
  std::size_t calls_ = 0;  ///< read() and write() under way.
  Signal idle_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::device
