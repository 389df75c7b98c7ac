// SPDX-License-Identifier: Apache-2.0
// The life of a sample within the node: device -> rules and store; rules -> acts, store, pages.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/node/node.hpp"
#include "app/node/row_json.hpp"
#include "runtime/log.hpp"

namespace infiniedge::app {

using runtime::Level;
using runtime::log;

namespace {

constexpr Micros kTick = Millis{200};
constexpr Micros kValueEvery = Millis{200};

}  // namespace

Task<Result<void>> Node::Feed::push(Batch batch) {
  const auto shared = std::make_shared<const Batch>(batch);
  node_.engine_->push(shared);
  node_.publish_rows(shared);
  node_.publish_value(device_, *shared);
  while (true) {
    auto copy = batch;
    const auto stored = co_await node_.store_->append(std::move(copy));
    if (stored) co_return Result<void>{};
    // Out of space is not the device's fault: it waits, and so does whoever sends to it.
    if (stored.error().code() != Code::Exhausted) co_return stored.error();
    log(Level::Warning, "app", "rows of a device wait for space",
        {{"resource", device_}, {"error", stored.error().describe()}});
    const auto slept = co_await node_.world_.clock.sleep_for(Seconds{1});
    if (!slept) co_return slept.error();
  }
}

void Node::on_rule_rows(const std::string&, Batch batch) {
  const auto shared = std::make_shared<const Batch>(batch);
  engine_->push(shared);
  acts_->on_rows(shared);
  publish_rows(shared);
  recorder_->put(std::move(batch));
}

/// Decisions and alarms: streams that no rule made, but that rules may read.
void Node::on_own_rows(Batch batch) {
  const auto shared = std::make_shared<const Batch>(batch);
  if (first_inference_.empty() && batch.schema->stream.ends_with("__decision")) note_answer(batch);
  engine_->push(shared);
  publish_rows(shared);
  recorder_->put(std::move(batch));
}

void Node::note_answer(const Batch& batch) {
  const auto model = batch.schema->stream.substr(0, batch.schema->stream.rfind("__"));
  const auto label = batch.schema->find("label");
  const auto score = batch.schema->find("score");
  if (batch.rows() == 0 || !label || !score) return;
  first_inference_ =
      boost::json::serialize(boost::json::object{{"time", rfc3339(from_us(batch.ts[0]))},
                                                 {"model", model},
                                                 {"label", batch.columns[*label].binary()[0]},
                                                 {"score", batch.columns[*score].floats()[0]},
                                                 {"device", batch.device_of(0)}});
}

void Node::publish_rows(const std::shared_ptr<const Batch>& batch) {
  for (auto at = taps_.begin(); at != taps_.end();) {
    if (!events_.wanted(at->topic)) {
      at = taps_.erase(at);
      continue;
    }
    auto& tap = *at++;
    if (tap.stream != batch->schema->stream) continue;
    const auto holds = tap.where ? tap.where->holds(*batch) : std::vector<bool>{};
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      const bool device = tap.device.empty() || batch->device_of(row) == tap.device;
      if (device && (!tap.where || holds[row]))
        events_.publish(tap.topic, "row", row_json(*batch, row));
    }
  }
}

void Node::publish_value(const std::string& device, const Batch& batch) {
  const auto topic = "value/" + device;
  if (batch.rows() == 0 || !events_.wanted(topic)) return;
  auto& last = last_value_event_[device];
  const auto now = world_.clock.now();
  if (now - last < kValueEvery) return;
  last = now;
  const auto row = batch.rows() - 1;
  std::string values;
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const auto& field = batch.schema->fields[i];
    if (batch.columns[i].is_null(row)) continue;
    values +=
        fmt::format("{}\"{}\":[{},{}]", values.empty() ? "" : ",", field.name,
                    value_json(field, batch.columns[i], row), static_cast<int>(batch.quality[row]));
  }
  events_.publish(
      topic, "value",
      fmt::format(R"({{"device":"{}","t":{},"v":{{{}}}}})", device, batch.ts[row], values), topic);
}

void Node::on_alarm(const decision::Alarm& alarm) {
  log(alarm.state == decision::AlarmState::Open ? Level::Warning : Level::Info, "decision",
      fmt::format("alarm {}: {}", to_string(alarm.state), alarm.text),
      {{"resource", alarm.stream}});
  events_.publish("alarm", "alarm",
                  boost::json::serialize(boost::json::object{{"id", alarm.id},
                                                             {"time", rfc3339(alarm.time)},
                                                             {"stream", alarm.stream},
                                                             {"severity", alarm.severity},
                                                             {"text", alarm.text},
                                                             {"state", to_string(alarm.state)},
                                                             {"count", alarm.count}}));
}

void Node::write_from_rule(const std::string& device, const std::string& point,
                           const std::string& value) {
  scope_.spawn(write_and_report(device, point, value));
}

Task<void> Node::write_and_report(std::string device, std::string point, std::string value) {
  std::vector<PointWrite> writes{{.point = point, .value = value}};
  const auto done = co_await write_device(device, std::move(writes), false);
  if (done)
    log(Level::Info, "decision", fmt::format("wrote {}.{} = {}", device, point, value));
  else
    log(Level::Warning, "decision", "a rule's write failed",
        {{"resource", device}, {"error", done.error().describe()}});
}

Task<void> Node::tick() {
  int ticks = 0;
  while (co_await world_.clock.sleep_for(kTick)) {
    engine_->tick();
    acts_->tick(world_.clock.wall());
    if (++ticks % 5 == 0) publish_second();
  }
}

void Node::publish_second() {
  if (events_.wanted("flow")) {
    const auto graph = boost::json::parse(this->graph());
    events_.publish("flow", "flow",
                    boost::json::serialize(boost::json::object{{"edges", graph.at("edges")}}),
                    "flow");
  }
  if (events_.wanted("decision")) {
    for (const auto& model : site_.models) {
      const auto stats = cascade_->stats(model.name);
      boost::json::object out{{"model", model.name},
                              {"cloud_share", stats.cloud_share()},
                              {"p50_us", stats.edge_p50_us},
                              {"p99_us", stats.edge_p99_us}};
      for (const auto& [route, count] : stats.routes) out[to_string(route)] = count;
      events_.publish("decision", "decision", boost::json::serialize(out),
                      "decision/" + model.name);
    }
  }
  if (!events_.wanted("sync")) return;
  for (const auto& [name, uplink] : uplinks_) {
    const auto state = uplink->state();
    boost::json::object out{{"uplink", name},
                            {"state", to_string(state.link)},
                            {"backlog_rows", state.backlog_rows},
                            {"backlog_bytes", state.backlog_bytes},
                            {"rate_rows", state.rate_rows}};
    if (state.rate_rows > 0)
      out["eta_s"] = static_cast<double>(state.backlog_rows) / state.rate_rows;
    events_.publish("sync", "sync", boost::json::serialize(out), "sync/" + name);
  }
}

}  // namespace infiniedge::app
