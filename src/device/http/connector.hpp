// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/http/spec.hpp"
#include "device/payload.hpp"
#include "device/poller.hpp"
#include "infiniedge/connector.hpp"
#include "runtime/http/client.hpp"

namespace infiniedge::device::http {

/// Values behind HTTP, polled; points of one path share a request, points of one period a row.
///
/// Flow:    device -> http::Client -> [Connector] -> Poller -> Outlet
/// Thread:  shard-bound.
/// Owner:   device::Supervisor.
/// Errors:  those of runtime::http::Client when no path answers. A status other than 2xx, or a
///          path without an answer, makes its points null and Bad; the others go on.
class Connector final : public infiniedge::Connector, private PointSource {
 public:
  static constexpr Spec kSpec = kHttpSpec;
  static Result<std::unique_ptr<infiniedge::Connector>> make(DeviceSpec device,
                                                             Environment environment);

  Task<Result<void>> open(Outlet& out) override;
  Task<Result<void>> failed() override;
  Task<void> close() override;
  Task<Result<std::vector<PointValue>>> read(std::vector<std::string> points) override;
  Task<Result<void>> write(std::vector<PointWrite> writes) override;

 private:
  struct Rule {
    std::string target, set;  ///< As sent: path and query.
    Extract value;
    std::optional<Extract> time;
    std::string method, body, content_type;
    bool warned = false;
  };

  Connector(DeviceSpec device, Environment environment,
            std::unique_ptr<runtime::http::Client> client, std::string host);
  Result<void> read_rules(const std::string& base);
  Result<Rule> read_rule(const Point& point, const std::string& base,
                         const std::optional<Extract>& device_time) const;

  Task<Result<void>> read_points(std::vector<std::size_t> points, Reading& reading) override;
  Task<Result<void>> read_target(std::string target, std::vector<std::size_t> points,
                                 Reading& reading);
  void read_body(std::string_view body, const std::vector<std::size_t>& points, Reading& reading);
  void refuse(int status, const std::vector<std::size_t>& points, Reading& reading);
  void warn(std::size_t point, std::string_view why);
  Task<Result<runtime::http::Response>> send(std::string method, std::string target,
                                             std::string body, std::string content_type);

  DeviceSpec device_;
  Environment environment_;
  std::unique_ptr<runtime::http::Client> client_;
  std::string host_;  ///< For messages.
  std::string authorisation_;
  std::vector<Rule> rules_;  ///< One a point.
  PayloadReader payload_;
  Poller poller_;
};

}  // namespace infiniedge::device::http
