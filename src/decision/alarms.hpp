// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "infiniedge/batch.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::decision {

enum class AlarmState : std::uint8_t { Open, Acknowledged, Closed };

constexpr std::string_view to_string(AlarmState state) {
  constexpr std::string_view kNames[] = {"open", "acknowledged", "closed"};
  return kNames[static_cast<int>(state)];
}

struct Alarm {
  std::string id;
  Timestamp time;  ///< When it was raised last.
  std::string stream, device, severity, text;
  AlarmState state = AlarmState::Open;
  std::uint64_t count = 1;  ///< How often it was raised while it was open.
};

/// The alarms of a node: the newest thousand in memory, every change a row of stream `alarms`.
///
/// Thread: the node's shard.
/// Owner:  app.
class Alarms {
 public:
  using Output = std::function<void(Batch)>;
  using Listener = std::function<void(const Alarm&)>;

  Alarms(Output output, Listener listener, std::uint32_t epoch)
      : output_(std::move(output)), listener_(std::move(listener)), epoch_(epoch) {}

  /// Raises an alarm, or counts it again if this one is open. Returns its id.
  std::string raise(Timestamp time, const std::string& stream, const std::string& device,
                    const std::string& severity, std::string text);
  /// The condition is over.
  void close(const std::string& id, Timestamp time);
  /// Errors: NotFound; Stale when it has been closed.
  Result<void> acknowledge(const std::string& id, Timestamp time);

  const std::deque<Alarm>& list() const { return alarms_; }  ///< Newest last.
  std::size_t open() const;
  std::uint64_t raised() const { return raised_; }
  static SchemaPtr schema();

 private:
  Alarm* find(const std::string& id);
  void changed(const Alarm& alarm, Timestamp time);

  static constexpr std::size_t kKept = 1000;
  Output output_;
  Listener listener_;
  std::uint32_t epoch_;
  std::uint64_t raised_ = 0;
  std::deque<Alarm> alarms_;
};

}  // namespace infiniedge::decision
