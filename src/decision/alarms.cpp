// SPDX-License-Identifier: Apache-2.0
#include "decision/alarms.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace infiniedge::decision {

SchemaPtr Alarms::schema() {
  static const SchemaPtr kSchema = [] {
    Schema schema{.stream = "alarms"};
    std::uint16_t id = kFirstField;
    for (const auto* name : {"id", "stream", "severity", "text", "state"}) {
      schema.fields.push_back({.id = id++, .name = name, .type = Type::String});
    }
    schema.fields.push_back({.id = id, .name = "count", .type = Type::Int});
    return std::make_shared<const Schema>(std::move(schema));
  }();
  return kSchema;
}

Alarm* Alarms::find(const std::string& id) {
  const auto at =
      std::find_if(alarms_.begin(), alarms_.end(), [&](const Alarm& a) { return a.id == id; });
  return at == alarms_.end() ? nullptr : &*at;
}

std::string Alarms::raise(Timestamp time, const std::string& stream, const std::string& device,
                          const std::string& severity, std::string text) {
  for (auto& alarm : alarms_) {
    const bool same = alarm.state != AlarmState::Closed && alarm.stream == stream &&
                      alarm.device == device && alarm.severity == severity;
    if (!same) continue;
    ++alarm.count;
    alarm.time = time;
    alarm.text = std::move(text);
    changed(alarm, time);
    return alarm.id;
  }
  ++raised_;
  Alarm alarm{.id = fmt::format("{}-{}", epoch_, raised_),
              .time = time,
              .stream = stream,
              .device = device,
              .severity = severity,
              .text = std::move(text)};
  alarms_.push_back(alarm);
  while (alarms_.size() > kKept) alarms_.pop_front();
  changed(alarm, time);
  return alarm.id;
}

void Alarms::close(const std::string& id, Timestamp time) {
  auto* alarm = find(id);
  if (alarm == nullptr || alarm->state == AlarmState::Closed) return;
  alarm->state = AlarmState::Closed;
  changed(*alarm, time);
}

Result<void> Alarms::acknowledge(const std::string& id, Timestamp time) {
  auto* alarm = find(id);
  if (alarm == nullptr) return Error{Code::NotFound, fmt::format("there is no alarm {}", id)};
  if (alarm->state == AlarmState::Closed) {
    return Error{Code::Stale, fmt::format("alarm {} is over already", id)};
  }
  if (alarm->state == AlarmState::Acknowledged) return {};
  alarm->state = AlarmState::Acknowledged;
  changed(*alarm, time);
  return {};
}

std::size_t Alarms::open() const {
  return static_cast<std::size_t>(std::count_if(alarms_.begin(), alarms_.end(), [](const Alarm& a) {
    return a.state != AlarmState::Closed;
  }));
}

void Alarms::changed(const Alarm& alarm, Timestamp time) {
  Batch batch{.schema = schema(),
              .devices = {alarm.device},
              .device = {0},
              .ts = {to_us(time)},
              .quality = {Quality::Good}};
  for (const auto text :
       {std::string_view{alarm.id}, std::string_view{alarm.stream},
        std::string_view{alarm.severity}, std::string_view{alarm.text}, to_string(alarm.state)}) {
    Binary values;
    values.push_back(text);
    batch.columns.push_back({.values = std::move(values)});
  }
  batch.columns.push_back(
      {.values = std::vector<std::int64_t>{static_cast<std::int64_t>(alarm.count)}});
  output_(std::move(batch));
  listener_(alarm);
}

}  // namespace infiniedge::decision
