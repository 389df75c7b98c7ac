// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/batch.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/spec.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge {

/// What a point may be set to; absent: read-only.
struct WriteRule {
  std::optional<double> min, max, step;
  std::vector<std::string> values;  ///< `enum`: the only values allowed, if any.
};

/// One value of a device, as its Device resource describes it.
struct Point {
  std::string name;
  std::string address;
  /// bool int16 int32 int64 uint16 uint32 uint64 float32 float64 string bytes.
  std::string type = "float64";
  double scale = 1, offset = 0;  ///< value = raw · scale + offset.
  Field field;                   ///< How it is stored: type, unit, resolution, range.
  Micros every{0};               ///< Own period; zero: the device's.
  double deadband = 0;
  OptionValues options;
  std::optional<WriteRule> write;
};

/// A validated Device resource, secrets resolved.
struct DeviceSpec {
  std::string name;                ///< As in the resource: `plug-1`.
  std::string address;             ///< URL.
  std::string username, password;  ///< Never logged.
  std::string ca, cert, key;       ///< Paths of PEM files; empty: the system's.
  Micros every{Seconds{1}};        ///< Zero: on arrival.
  Micros timeout{Seconds{3}};
  OptionValues options;
  std::vector<Point> points;
  SchemaPtr schema;  ///< One field a point, in the order of `points`.
};

/// Receives what a connector reads.
///
/// Thread: the connector's shard.
/// Owner:  the supervisor; outlives the connector.
class Outlet {
 public:
  virtual ~Outlet() = default;

  /// Takes rows of DeviceSpec::schema. Completes once they are durable or dropped by policy;
  /// until then the connector should read no further than a small buffer (back-pressure).
  virtual Task<Result<void>> push(Batch batch) = 0;
  /// Reports that the feed is up, or why it is not; shown as the device's condition.
  virtual void state(Result<void> state) = 0;
};

/// A value to write to a point: number, text or bool, as written by the caller.
struct PointWrite {
  std::string point;
  std::string value;
};

struct PointValue {
  std::string point;
  std::string value;  ///< As in JSON; empty if `quality` is Bad.
  Quality quality = Quality::Good;
  Timestamp time;
};

/// A source of samples: one device feed.
///
/// Flow:    device -> [Connector] -> stream
/// Thread:  shard-bound; called and resumed on the shard that opened it.
/// Owner:   device::Supervisor. `out` outlives the connector.
/// Errors:  Unavailable and Timeout are retried with back-off; any other code stops the feed.
class Connector {
 public:
  virtual ~Connector() = default;

  /// Connects and starts reading. Completes once the first sample could arrive.
  /// Requires: not already open.
  virtual Task<Result<void>> open(Outlet& out) = 0;
  /// Completes when the feed has failed, with the reason; never while it is healthy.
  virtual Task<Result<void>> failed() = 0;
  /// Stops reading and waits for samples in flight. Idempotent, never fails.
  virtual Task<void> close() = 0;

  /// Reads points now, past any cache. Default: Unsupported.
  virtual Task<Result<std::vector<PointValue>>> read(std::vector<std::string> points);
  /// Writes points, already checked against their WriteRule. Default: Unsupported.
  virtual Task<Result<void>> write(std::vector<PointWrite> writes);
};

inline Task<Result<std::vector<PointValue>>> Connector::read(std::vector<std::string>) {
  co_return Error{Code::Unsupported, "this connector cannot read on demand"};
}
inline Task<Result<void>> Connector::write(std::vector<PointWrite>) {
  co_return Error{Code::Unsupported, "this connector cannot write"};
}

}  // namespace infiniedge
