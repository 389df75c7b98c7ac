// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "decision/alarms.hpp"
#include "infiniedge/batch.hpp"
#include "stream/predicate.hpp"

namespace infiniedge::decision {

/// One `act` of a Stream resource: an alarm, or a value written to a device.
struct ActSpec {
  struct Write {
    std::string device, point, value;  ///< `value` is an expression over the row.
  };
  std::string when;
  Micros hold{0}, cooldown{0};
  std::string severity, text;  ///< Of an alarm; `text` empty: none.
  std::optional<Write> write{};
};

/// Does what streams say should be done: fires per device once the condition has held, again
/// only after it was false and the cooldown has passed; an alarm closes when it is false.
///
/// Flow:   stream -> [Acts] -> alarms, devices
/// Thread: the node's shard.
/// Owner:  app; `alarms` outlives it.
/// Errors: put() gives what is wrong with an expression; failed writes are the writer's to report.
class Acts {
 public:
  /// Sends a value to a device; must not wait.
  using Writer = std::function<void(const std::string& device, const std::string& point,
                                    const std::string& value)>;

  Acts(Alarms& alarms, Writer writer) : alarms_(alarms), writer_(std::move(writer)) {}

  /// Sets the acts of a stream (SQL name); earlier ones end, and their alarms close.
  stream::Checked<bool> put(const std::string& stream, const SchemaPtr& schema,
                            const std::vector<ActSpec>& specs, Timestamp now);
  void remove(const std::string& stream, Timestamp now);
  void on_rows(const std::shared_ptr<const Batch>& batch);
  /// Lets time pass: a condition whose `hold` ends between two rows fires here.
  void tick(Timestamp now);

 private:
  struct Group {
    std::optional<Timestamp> since;  ///< The condition holds since; empty: it does not.
    std::optional<Timestamp> fired;
    bool active = false;  ///< Has fired in this holding.
    std::string alarm;
    std::shared_ptr<const Batch> batch;  ///< The newest row, for texts and values.
    std::size_t row = 0;
  };
  struct Act {
    ActSpec spec;
    stream::Expression when;
    std::optional<stream::Template> text;
    std::optional<stream::Expression> value;
    std::map<std::string, Group, std::less<>> groups;
  };

  static stream::Checked<Act> compile(const ActSpec& spec, const SchemaPtr& schema);
  void judge(const std::string& stream, Act& act, const std::string& device, Timestamp now);
  void fire(const std::string& stream, Act& act, Group& group, const std::string& device,
            Timestamp now);
  void release(Group& group, Timestamp now);

  static constexpr std::size_t kMaxGroups = 100'000;
  Alarms& alarms_;
  Writer writer_;
  std::map<std::string, std::vector<Act>, std::less<>> streams_;
};

}  // namespace infiniedge::decision
