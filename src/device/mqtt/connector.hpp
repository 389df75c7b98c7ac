// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/environment.hpp"
#include "device/inbox.hpp"
#include "device/mqtt/session.hpp"
#include "device/mqtt/spec.hpp"
#include "device/payload.hpp"
#include "infiniedge/connector.hpp"

namespace infiniedge::device::mqtt {

/// Values from an MQTT broker: one subscription a point; all points that a message speaks to
/// form one row.
///
/// Flow:    broker -> Session -> [Connector] -> Outlet
/// Thread:  shard-bound.
/// Owner:   device::Supervisor.
/// Errors:  those of Session. A payload that cannot be read makes its points null and Bad,
///          is counted and warned of; the feed goes on.
class Connector final : public infiniedge::Connector, private Session::Listener {
 public:
  static constexpr Spec kSpec = kMqttSpec;
  static Result<std::unique_ptr<infiniedge::Connector>> make(DeviceSpec device,
                                                             Environment environment);

  Task<Result<void>> open(Outlet& out) override;
  Task<Result<void>> failed() override;
  Task<void> close() override;
  Task<Result<void>> write(std::vector<PointWrite> writes) override;

 private:
  struct Rule {
    Extract value;
    std::optional<Extract> time;
    std::string set;  ///< Topic to write to; empty: none.
    bool retain = false;
    bool warned = false;
  };

  Connector(DeviceSpec device, Environment environment, Login login);
  Result<void> read_rules(OptionReader& options);
  Result<void> read_rule(const Point& point, const std::optional<Extract>& device_time);

  void on_message(std::string_view topic, std::string_view payload) override;
  const std::vector<std::size_t>& points_of(std::string_view topic);
  Cell read_cell(std::size_t point, std::string_view topic);
  std::optional<Timestamp> read_time(const std::vector<std::size_t>& points, bool& wanted);
  void pause();
  void warn(Rule& rule, std::string_view topic, std::string_view why);
  std::vector<std::string> filters() const;
  Task<void> deliver(Outlet& out);
  Task<void> watch();

  DeviceSpec device_;
  Environment environment_;
  std::vector<Rule> rules_;  ///< One a point.
  int qos_ = 1;
  PayloadReader payload_;
  Inbox inbox_;
  runtime::Counter& paused_;
  Outcome ended_, delivered_;
  bool delivering_ = false;
  std::map<std::string, std::vector<std::size_t>, std::less<>> topics_;  ///< Bounded cache.
  Session session_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::device::mqtt
