// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "device/registry.hpp"
#include "device/supervisor.hpp"
#include "runtime/clock.hpp"
#include "runtime/entropy.hpp"
#include "stream/engine.hpp"
#include "stream/testing/rows.hpp"
#include "table.hpp"

namespace infiniedge::tests {

/// Plays one recording, as fast as rows are taken, through the real parts of a node's path:
/// Registry, Supervisor and replay connector into an Engine; rules may read rules.
///
/// Flow:   file -> replay -> [Player] -> stream::Engine -> tables
/// Thread: one; the file is read on a worker.
class Player final : private Outlet {
 public:
  /// The device's stream has its name. `speed` is set to max.
  explicit Player(DeviceSpec device);
  ~Player() override;

  /// Adds a failure if the rule does not compile.
  void rule(stream::RuleSpec spec);
  void rule(const std::string& name, const std::string& sql) { rule({.name = name, .sql = sql}); }
  /// To the end of the recording, which must have exactly `rows` rows, all good; then closes the
  /// windows. Adds failures.
  void play(std::size_t rows);

  /// Rows as they came. Columns: ts, those of the rule.
  const Table& rows(const std::string& rule) { return tables_[rule]; }
  /// Rows of windows by end, of each only the last version and without `_version`.
  Table settled(const std::string& rule);
  /// Rows that replaced an earlier version.
  std::size_t updates(const std::string& rule);
  stream::RuleStats stats(const std::string& rule) const;

 private:
  Task<Result<void>> push(Batch batch) override;
  void state(Result<void> state) override { state_ = std::move(state); }
  void take(const std::string& stream, Batch batch);
  Task<Result<void>> wait_for(std::size_t rows);

  DeviceSpec device_;
  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Workers workers_{"recording", 1};
  runtime::Metrics metrics_;
  device::Registry registry_;
  stream::testing::Schemas schemas_;
  stream::Engine engine_;
  std::unique_ptr<device::Supervisor> supervisor_;
  std::map<std::string, Table> tables_;
  Result<void> state_;
  std::size_t seen_ = 0;
};

}  // namespace infiniedge::tests
