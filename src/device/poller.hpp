// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/outcome.hpp"
#include "device/row.hpp"
#include "device/stop.hpp"
#include "infiniedge/connector.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::device {

/// What a round of reading brought: one Cell a point of the device, absent where not asked for.
struct Reading {
  std::vector<Cell> cells;
  std::optional<Timestamp> time;  ///< Source time, if the device says it; else time of arrival.
  Quality floor = Quality::Good;  ///< Of the whole row.
};

/// A device that answers when asked.
class PointSource {
 public:
  virtual ~PointSource() = default;
  /// Fills the cells of `points` (positions in DeviceSpec::points). An error means that the link
  /// is gone or silent; a point that cannot be read is a Bad cell.
  virtual Task<Result<void>> read_points(std::vector<std::size_t> points, Reading& reading) = 0;
};

/// Asks a device again and again, points of one period together: one row a round.
///
/// Flow:    PointSource -> [Poller] -> Outlet
/// Thread:  shard-bound.
/// Owner:   a connector that is the PointSource; close() before destruction.
/// Errors:  failed() has those of the source and of Outlet::push.
class Poller {
 public:
  Poller(Environment environment, const DeviceSpec& device, PointSource& source);

  /// Errors: Invalid for a point without a period: a polled device never reports on its own.
  static Result<void> check_periods(const DeviceSpec& device, std::string_view protocol);

  void start(Outlet& out);
  Task<Result<void>> failed() { co_return co_await ended_.wait(); }
  /// Lets rounds end: close the source's link first if they may hang.
  Task<void> close();

  /// One round of the named points, past the period. Errors: NotFound, those of the source.
  Task<Result<std::vector<PointValue>>> read(std::vector<std::string> names);
  Result<std::size_t> find(std::string_view name) const;

 private:
  Task<void> poll(Micros period, std::vector<std::size_t> points, Outlet& out);
  Task<Result<void>> round(std::vector<std::size_t> points, Outlet& out);
  Reading empty_reading() const;

  Environment environment_;
  const DeviceSpec& device_;
  PointSource& source_;
  RowBuilder rows_;
  std::size_t polling_ = 0;
  Stop stop_;
  Outcome ended_;
  Signal idle_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::device
