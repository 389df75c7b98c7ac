// SPDX-License-Identifier: Apache-2.0
// What pages and commands see of a node.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>

#include "app/config/canonical.hpp"
#include "app/node/node.hpp"
#include "app/node/row_json.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app {

namespace json = boost::json;

namespace {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

json::value value_of(const std::string& text) {
  boost::system::error_code error;
  auto parsed = json::parse(text, error);
  return error ? json::value(text) : parsed;
}

/// "1200 bytes" for what stands as Base64.
json::value size_of_base64(const json::value& value) {
  if (!value.is_string()) return value;
  const std::string_view text = value.as_string();
  const auto padding = text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);
  return json::value(fmt::format("{} bytes", text.size() / 4 * 3 - padding));
}

json::array conditions(bool ready, const std::string& reason, const std::string& message,
                       Timestamp since) {
  return {{{"type", "Ready"},
           {"status", ready ? "True" : "False"},
           {"reason", reason},
           {"message", message},
           {"lastTransitionTime", rfc3339(since)}}};
}

json::object graph_node(std::string id, const char* kind, std::string name, bool ready) {
  return {{"id", std::move(id)}, {"kind", kind}, {"name", std::move(name)}, {"ready", ready}};
}

bool reads(const stream::Rule& rule, const std::string& stream) {
  const auto& inputs = rule.inputs();
  return std::find(inputs.begin(), inputs.end(), stream) != inputs.end();
}

json::object edge(std::string from, std::string to, double rate, double p99_ms = 0,
                  std::uint64_t dropped = 0) {
  return {{"from", std::move(from)}, {"to", std::move(to)}, {"rate", rate},
          {"p99_ms", p99_ms},        {"dropped", dropped},  {"queue", 0}};
}

}  // namespace

std::string Node::metrics() {
  host_.update();
  world_.metrics.gauge("infiniedge_process_resident_bytes", "Memory in use.")
      .set(static_cast<double>(resident_bytes()));
  world_.metrics
      .gauge("infiniedge_build_info", "1; the labels tell.", {{"version", INFINIEDGE_VERSION}})
      .set(1);
  const auto degraded = [this](const char* mode, bool on) {
    world_.metrics
        .gauge("infiniedge_degraded", "1 while the node does without something.", {{"mode", mode}})
        .set(on ? 1 : 0);
  };
  degraded("disk_full", store_->health() == store::Health::Full);
  degraded("store_failed", store_failed_.has_value());
  degraded("model_missing", !models_->ready());
  for (const auto& [name, device] : devices_) {
    world_.metrics
        .gauge("infiniedge_resource_ready", "1 if a resource is ready.",
               {{"kind", "Device"}, {"name", name}})
        .set(device.supervisor->status().ready ? 1 : 0);
  }
  return world_.metrics.text();
}

std::string Node::alarms() {
  json::array items;
  const auto& list = alarms_->list();
  for (auto at = list.rbegin(); at != list.rend(); ++at) {
    items.push_back({{"id", at->id},
                     {"time", rfc3339(at->time)},
                     {"stream", at->stream},
                     {"device", at->device},
                     {"severity", at->severity},
                     {"text", at->text},
                     {"state", to_string(at->state)},
                     {"count", at->count}});
  }
  return json::serialize(json::object{{"items", items}});
}

std::string Node::status() {
  json::array reasons;
  if (store_failed_) reasons.emplace_back(store_failed_->describe());
  if (store_->health() == store::Health::Full) {
    reasons.emplace_back(
        fmt::format("Exhausted: the disk is full, so rows wait; free space in {}, or lower "
                    "store.max_bytes",
                    settings_.data));
  }
  if (!models_->ready()) reasons.emplace_back("a required model is not ready");
  std::size_t devices_ready = 0;
  for (const auto& [name, device] : devices_)
    devices_ready += device.supervisor->status().ready ? 1 : 0;
  const auto now = world_.clock.wall();
  std::uint64_t asked = 0, answered = 0;
  for (const auto& model : site_.models) {
    const auto stats = cascade_->stats(model.name);
    answered += stats.total();
    asked +=
        static_cast<std::uint64_t>(stats.cloud_share() * static_cast<double>(stats.total()) + 0.5);
  }
  std::uint64_t rows = 0;
  for (const auto& stream : store_->streams()) rows += stream.last_seq;
  const auto usage = store_->usage();
  json::object out{
      {"node", settings_.name},
      {"role", settings_.role == RoleOfProcess::Hub ? "hub" : "node"},
      {"version", INFINIEDGE_VERSION},
      {"started", rfc3339(started_at_)},
      {"uptime_s", std::chrono::duration<double>(now - started_at_).count()},
      {"ready", ready()},
      {"rss_bytes", resident_bytes()},
      {"revision", revision_},
      {"health", {{"ok", reasons.empty()}, {"reasons", reasons}}},
      {"first_inference",
       first_inference_.empty() ? json::value(nullptr) : json::parse(first_inference_)},
      {"cloud_share",
       answered == 0 ? 0.0 : static_cast<double>(asked) / static_cast<double>(answered)},
      {"counts",
       {{"devices", devices_.size()},
        {"devices_ready", devices_ready},
        {"streams", site_.streams.size()},
        {"models", models_->serving().size()},
        {"alarms_open", alarms_->open()}}},
      {"store", {{"rows", rows}, {"disk_bytes", usage.log + usage.segments}}},
      {"uplinks", uplinks_json()},
      {"nodes", nodes_json()}};
  return json::serialize(out);
}

json::array Node::uplinks_json() const {
  json::array out;
  for (const auto& [name, uplink] : uplinks_) {
    const auto state = uplink->state();
    json::array streams;
    for (const auto& stream : store_->streams()) {
      const auto& wanted = stream.policy.uplinks;
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      const auto cursor = store_->cursor(name, stream.id);
      streams.push_back({{"name", stream.schema->stream},
                         {"epoch", stream.epoch},
                         {"last_seq", stream.last_seq},
                         {"acked", cursor.hwm}});
    }
    out.push_back({{"name", name},
                   {"to", "hub"},
                   {"state", to_string(state.link)},
                   {"backlog_rows", state.backlog_rows},
                   {"backlog_bytes", state.backlog_bytes},
                   {"last_error", state.last_error},
                   {"streams", streams}});
  }
  return out;
}

json::array Node::nodes_json() const {
  json::array out;
  for (const auto& node : ingest_->nodes()) {
    json::array streams;
    for (const auto& stream : node.streams) {
      streams.push_back({{"name", stream.name},
                         {"epoch", stream.epoch},
                         {"high_water", stream.high_water},
                         {"rows", stream.rows}});
    }
    out.push_back({{"gateway", node.gateway},
                   {"name", node.name},
                   {"connected", node.connected},
                   {"last_seen", rfc3339(node.last_seen)},
                   {"streams", streams}});
  }
  return out;
}

void Node::graph_devices(json::array& nodes, json::array& edges) const {
  for (const auto& [name, device] : devices_) {
    const auto status = device.supervisor->status();
    nodes.push_back(graph_node("device/" + name, "device", name, status.ready));
    const auto& stream = device.resource.spec.schema->stream;
    bool read = false;
    for (const auto& rule : engine_->rules()) {
      if (!reads(*engine_->find(rule.name), stream)) continue;
      edges.push_back(edge("device/" + name, "stream/" + rule.name, status.rate));
      read = true;
    }
    if (!read) edges.push_back(edge("device/" + name, "store", status.rate));
  }
}

void Node::graph_rules(json::array& nodes, json::array& edges) const {
  const auto rules = engine_->rules();
  for (const auto& rule : rules) {
    nodes.push_back(
        graph_node("stream/" + rule.name, "stream", rule.name, rule.rule.stopped.empty()));
    for (const auto& other : rules) {
      if (!reads(*engine_->find(other.name), config::sql_name(rule.name))) continue;
      edges.push_back(edge("stream/" + rule.name, "stream/" + other.name, rule.rate_out));
    }
    edges.push_back(edge("stream/" + rule.name, "store", rule.rate_out, rule.p99_seconds * 1e3,
                         rule.rule.dropped));
  }
}

void Node::graph_models(json::array& nodes, json::array& edges) const {
  for (const auto& model : site_.models) {
    const auto stats = cascade_->stats(model.name);
    const auto seconds =
        std::max(1.0, std::chrono::duration<double>(world_.clock.wall() - started_at_).count());
    const double rate = static_cast<double>(stats.total()) / seconds;
    const double up = rate * stats.cloud_share();
    const auto id = "model/" + model.name;
    const auto decision = "decision/" + model.name;
    nodes.push_back(
        graph_node(id, "model", model.name, !models_->ready_versions(model.name).empty()));
    for (const auto& rule : site_.streams) {
      if (rule.sql.find("model('" + model.name + "'") == std::string::npos) continue;
      edges.push_back(edge("stream/" + rule.name, id, rate, stats.edge_p99_us / 1e3));
    }
    if (!model.cascade) continue;
    nodes.push_back(graph_node(decision + "/accept", "decision", "accept", true));
    nodes.push_back(
        graph_node(decision + "/escalate", "decision", "escalate", stats.teacher_reachable));
    edges.push_back(edge(id, decision + "/accept", rate - up));
    edges.push_back(edge(id, decision + "/escalate", up, stats.decision_p99_ms));
    edges.push_back(edge(decision + "/accept", "store", rate - up));
    if (!uplinks_.empty())
      edges.push_back(edge(decision + "/escalate", "uplink/" + uplinks_.begin()->first, up));
  }
}

std::string Node::graph() {
  json::array nodes, edges;
  nodes.push_back(graph_node("store", "store", "store", !store_failed_));
  graph_devices(nodes, edges);
  graph_rules(nodes, edges);
  graph_models(nodes, edges);
  for (const auto& [name, uplink] : uplinks_) {
    const auto state = uplink->state();
    nodes.push_back(
        graph_node("uplink/" + name, "hub", name, state.link == sync::LinkState::Connected));
    edges.push_back(edge("store", "uplink/" + name, state.rate_rows));
  }
  return json::serialize(json::object{{"nodes", nodes}, {"edges", edges}});
}

std::string Node::parts() {
  json::array items;
  for (const auto& [name, device] : devices_) {
    const auto status = device.supervisor->status();
    items.push_back(
        {{"kind", "Device"}, {"name", name}, {"state", status.reason}, {"rate", status.rate}});
  }
  for (const auto& rule : engine_->rules()) {
    items.push_back({{"kind", "Stream"},
                     {"name", rule.name},
                     {"state", rule.rule.stopped.empty() ? "Running" : rule.rule.stopped},
                     {"rate", rule.rate_out}});
  }
  for (const auto& served : models_->serving()) {
    items.push_back({{"kind", "Model"},
                     {"name", served->config().name},
                     {"state", "Ready"},
                     {"device", served->device()}});
  }
  for (const auto& [name, uplink] : uplinks_) {
    const auto state = uplink->state();
    items.push_back({{"kind", "Uplink"},
                     {"name", name},
                     {"state", to_string(state.link)},
                     {"rate", state.rate_rows}});
  }
  return json::serialize(json::object{{"items", items}});
}

std::string Node::device_status(const Device& device) const {
  const auto status = device.supervisor->status();
  json::object values;
  for (const auto& point : status.points) {
    values[point.name] = {{"value", value_of(point.value)},
                          {"status", static_cast<int>(point.quality)},
                          {"time", rfc3339(point.time)}};
  }
  for (const auto& point : device.resource.spec.points) {
    auto* found = values.if_contains(point.name);
    if (found == nullptr) continue;
    auto& value = found->as_object();
    value["unit"] = point.field.unit;
    // As in events: the bytes themselves are read with SQL.
    if (point.field.type == Type::Bytes) value["value"] = size_of_base64(value["value"]);
  }
  return json::serialize(json::object{
      {"conditions", conditions(status.ready, status.reason, status.message, started_at_)},
      {"rate", status.rate},
      {"bad", status.bad},
      {"restarts", status.restarts},
      {"last", status.last ? json::value(rfc3339(*status.last)) : json::value(nullptr)},
      {"values", values}});
}

std::string Node::stream_status(const std::string& name) const {
  for (const auto& rule : engine_->rules()) {
    if (rule.name != name) continue;
    json::array schema;
    for (const auto& field : engine_->find(name)->output()->fields) {
      schema.push_back(
          {{"name", field.name}, {"type", to_string(field.type)}, {"unit", field.unit}});
    }
    const bool running = rule.rule.stopped.empty();
    return json::serialize(json::object{
        {"conditions",
         conditions(running, running ? "Running" : "Stopped", rule.rule.stopped, started_at_)},
        {"rate", rule.rate_out},
        {"in_rows", rule.rule.in},
        {"out_rows", rule.rule.out},
        {"dropped", rule.rule.dropped},
        {"late", rule.rule.late},
        {"errors", rule.rule.errors},
        {"lag_s", std::chrono::duration<double>(rule.rule.lag).count()},
        {"schema", schema}});
  }
  const auto fault = rule_faults_.find(name);
  const bool faulty = fault != rule_faults_.end();
  return json::serialize(
      json::object{{"conditions", conditions(false, faulty ? "Invalid" : "Paused",
                                             faulty ? fault->second : "", started_at_)}});
}

std::string Node::model_status(const std::string& name) const {
  const auto stats = cascade_->stats(name);
  const auto served = models_->find(name);
  json::object out{{"conditions", conditions(served.has_value(), served ? "Serving" : "NotLoaded",
                                             served ? "" : served.error().message(), started_at_)},
                   {"state", served ? "READY" : "UNAVAILABLE"}};
  if (served) {
    const auto& config = (*served)->config();
    out["version"] = std::to_string((*served)->version());
    out["backend"] = config.backend.empty() ? "onnxruntime" : config.backend;
    out["device"] = (*served)->device();
  }
  std::uint64_t escalated = 0;
  if (const auto teacher = stats.routes.find(Route::Teacher); teacher != stats.routes.end())
    escalated = teacher->second;
  out["p50_us"] = stats.edge_p50_us;
  out["p99_us"] = stats.edge_p99_us;
  out["inferences"] = stats.total();
  out["escalated"] = escalated;
  out["edge"] = stats.total() - escalated;
  out["cloud_share"] = stats.cloud_share();
  out["decision_p99_ms"] = stats.decision_p99_ms;
  out["threshold"] = stats.threshold;
  out["budget_left"] = stats.budget_left;
  return json::serialize(out);
}

std::string Node::uplink_status(const std::string& name) const {
  const auto found = uplinks_.find(name);
  if (found == uplinks_.end())
    return json::serialize(
        json::object{{"conditions", conditions(false, "Paused", "", started_at_)}});
  const auto state = found->second->state();
  return json::serialize(json::object{
      {"conditions", conditions(state.link == sync::LinkState::Connected,
                                std::string{to_string(state.link)}, state.last_error, started_at_)},
      {"backlog_rows", state.backlog_rows},
      {"backlog_bytes", state.backlog_bytes},
      {"gaps", 0}});
}

std::string Node::status_of(const Applied& applied) const {
  const auto& name = applied.resource.name;
  const auto kind = applied.resource.kind->kind;
  if (kind == "Device") {
    const auto found = devices_.find(name);
    if (found != devices_.end()) return device_status(found->second);
    return json::serialize(
        json::object{{"conditions", conditions(false, "Paused", "", applied.since)}});
  }
  if (kind == "Stream") return stream_status(name);
  if (kind == "Model") return model_status(name);
  return uplink_status(name);
}

Result<std::string> Node::list(const std::string& plural) {
  const auto* kind = config::find_kind(plural);
  if (kind == nullptr) {
    const auto near = base::suggest(plural, config::kind_names());
    return Error{Code::NotFound,
                 fmt::format("there is no kind \"{}\"{}", plural,
                             near ? fmt::format("; did you mean {}?", *near) : std::string{})};
  }
  std::string items;
  for (const auto& [id, applied] : applied_) {
    if (applied.resource.kind != kind) continue;
    items += (items.empty() ? "" : ",") +
             config::resource_json(applied.resource, applied.version, status_of(applied));
  }
  return fmt::format(R"({{"kind":"{}List","metadata":{{"resourceVersion":"{}"}},"items":[{}]}})",
                     kind->kind, next_version_ - 1, items);
}

Result<std::string> Node::get(const std::string& plural, const std::string& name) {
  const auto* kind = config::find_kind(plural);
  const auto found =
      kind == nullptr ? applied_.end() : applied_.find(std::string{kind->kind} + "/" + name);
  if (found != applied_.end()) {
    return config::resource_json(found->second.resource, found->second.version,
                                 status_of(found->second));
  }
  std::vector<std::string> names;
  for (const auto& [id, applied] : applied_) {
    if (applied.resource.kind == kind) names.push_back(applied.resource.name);
  }
  const auto near = base::suggest(name, names);
  return Error{Code::NotFound,
               fmt::format("there is no {}/{}{}", plural, name,
                           near ? fmt::format("; did you mean {}?", *near) : std::string{})};
}

Result<std::string> Node::explain(const std::string& plural, const std::string& name) {
  const auto* rule = plural.starts_with("stream") ? engine_->find(name) : nullptr;
  if (rule == nullptr)
    return Error{Code::NotFound,
                 fmt::format("only streams have a plan; there is no stream {}", name)};
  json::array lines;
  for (const auto& line : rule->explain()) lines.emplace_back(line);
  return json::serialize(json::object{{"stream", name}, {"plan", lines}});
}

}  // namespace infiniedge::app
