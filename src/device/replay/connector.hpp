// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/outcome.hpp"
#include "device/replay/reader.hpp"
#include "device/replay/spec.hpp"
#include "device/row.hpp"
#include "device/stop.hpp"
#include "infiniedge/connector.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::device::replay {

/// Plays a recording: the same file and options give the same rows, in the same order.
///
/// Flow:    file -> Reader -> [Connector] -> Outlet
/// Thread:  shard-bound; files are read on a worker, a block ahead.
/// Owner:   device::Supervisor.
/// Errors:  NotFound, Denied, Invalid with file:line. The feed stays up at the end of the
///          recording: it has nothing more to say.
class Connector final : public infiniedge::Connector {
 public:
  static constexpr Spec kSpec = kReplaySpec;
  static Result<std::unique_ptr<infiniedge::Connector>> make(DeviceSpec device,
                                                             Environment environment);

  Task<Result<void>> open(Outlet& out) override;
  Task<Result<void>> failed() override;
  Task<void> close() override;

 private:
  /// What the options say, checked.
  struct Plan {
    std::string file, format;
    ReadOptions read;
    double speed = 1;  ///< 0: as fast as rows are taken.
    bool loop = false;
    bool start_now = false;
    std::optional<Timestamp> start;
    Micros period{0};
    std::int64_t limit = 0;
  };
  using Block = std::vector<Record>;

  Connector(DeviceSpec device, Environment environment, Plan plan);
  static Result<Plan> read_plan(const DeviceSpec& device);

  Result<void> open_file();
  Result<void> bind();
  Result<Block> read_block();
  Task<void> play(Outlet& out);
  Task<Result<void>> play_file(Outlet& out);
  Task<Result<void>> play_record(Outlet& out, Record record);
  Task<Result<void>> flush(Outlet& out);
  Timestamp time_of(const Record& record);
  void next_round();

  DeviceSpec device_;
  Environment environment_;
  Plan plan_;
  std::unique_ptr<Reader> reader_;
  std::vector<std::size_t> column_of_;  ///< One a point.
  RowBuilder rows_;
  std::optional<Timestamp> base_;  ///< Of rows whose recording has no times.
  std::optional<Micros> shift_;    ///< From recorded to played time.
  std::optional<Timestamp> first_, round_first_, last_;
  Micros gap_{0};  ///< Between the last two rows: from loop to loop.
  std::int64_t in_round_ = 0, played_ = 0;
  Instant began_{};
  bool playing_ = false;
  Stop stop_;
  Outcome ended_, done_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::device::replay
