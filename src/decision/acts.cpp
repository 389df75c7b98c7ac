// SPDX-License-Identifier: Apache-2.0
#include "decision/acts.hpp"

namespace infiniedge::decision {

stream::Checked<Acts::Act> Acts::compile(const ActSpec& spec, const SchemaPtr& schema) {
  auto when = stream::Expression::compile_condition(spec.when, schema);
  if (!when) return tl::unexpected(std::move(when).error());
  Act act{.spec = spec, .when = std::move(*when), .text = {}, .value = {}, .groups = {}};
  if (!spec.text.empty()) {
    auto text = stream::Template::compile(spec.text, schema);
    if (!text) return tl::unexpected(std::move(text).error());
    act.text.emplace(std::move(*text));
  }
  if (spec.write) {
    auto value = stream::Expression::compile(spec.write->value, schema);
    if (!value) return tl::unexpected(std::move(value).error());
    act.value.emplace(std::move(*value));
  }
  return act;
}

stream::Checked<bool> Acts::put(const std::string& stream, const SchemaPtr& schema,
                                const std::vector<ActSpec>& specs, Timestamp now) {
  std::vector<Act> acts;
  for (const auto& spec : specs) {
    auto act = compile(spec, schema);
    if (!act) return tl::unexpected(std::move(act).error());
    acts.push_back(std::move(*act));
  }
  remove(stream, now);
  if (!acts.empty()) streams_[stream] = std::move(acts);
  return true;
}

void Acts::remove(const std::string& stream, Timestamp now) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  for (auto& act : found->second) {
    for (auto& [device, group] : act.groups) release(group, now);
  }
  streams_.erase(found);
}

void Acts::on_rows(const std::shared_ptr<const Batch>& batch) {
  const auto found = streams_.find(batch->schema->stream);
  if (found == streams_.end()) return;
  for (auto& act : found->second) {
    const auto holds = act.when.holds(*batch);
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      const auto device = std::string{batch->device_of(row)};
      if (act.groups.size() >= kMaxGroups && !act.groups.contains(device)) continue;
      auto& group = act.groups[device];
      const auto ts = from_us(batch->ts[row]);
      if (!holds[row]) {
        release(group, ts);
        continue;
      }
      if (!group.since) group.since = ts;
      group.batch = batch;
      group.row = row;
      judge(found->first, act, device, ts);
    }
  }
}

void Acts::tick(Timestamp now) {
  for (auto& [stream, acts] : streams_) {
    for (auto& act : acts) {
      for (auto& [device, group] : act.groups) {
        if (group.since && !group.active) judge(stream, act, device, now);
      }
    }
  }
}

void Acts::judge(const std::string& stream, Act& act, const std::string& device, Timestamp now) {
  auto& group = act.groups[device];
  const bool held = now - *group.since >= act.spec.hold;
  const bool rested = !group.fired || now - *group.fired >= act.spec.cooldown;
  if (group.active || !held || !rested) return;
  group.active = true;
  group.fired = now;
  fire(stream, act, group, device, now);
}

void Acts::fire(const std::string& stream, Act& act, Group& group, const std::string& device,
                Timestamp now) {
  if (act.text) {
    group.alarm = alarms_.raise(now, stream, device, act.spec.severity,
                                act.text->render(*group.batch, group.row));
  }
  if (act.value) {
    const auto column = act.value->values(*group.batch);
    if (column.is_null(group.row)) return;
    const auto text = stream::display(act.value->field(), column, group.row);
    writer_(act.spec.write->device, act.spec.write->point, text);
  }
}

void Acts::release(Group& group, Timestamp now) {
  group.since.reset();
  group.active = false;
  group.batch.reset();
  if (!group.alarm.empty()) alarms_.close(group.alarm, now);
  group.alarm.clear();
}

}  // namespace infiniedge::decision
