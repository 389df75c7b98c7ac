// SPDX-License-Identifier: Apache-2.0
#include "app/config/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/suggest.hpp"
#include "stream/parser.hpp"
#include "stream/predicate.hpp"
#include "stream/rule.hpp"

namespace infiniedge::app::config {
namespace {

using base::yaml::Mark;
using base::yaml::Node;

/// The streams that exist so far: devices, then each rule once it has compiled.
class Streams final : public stream::SchemaSource {
 public:
  void add(SchemaPtr schema) { schemas_[schema->stream] = std::move(schema); }
  SchemaPtr find(std::string_view name) const override {
    const auto found = schemas_.find(name);
    return found == schemas_.end() ? nullptr : found->second;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, schema] : schemas_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, SchemaPtr, std::less<>> schemas_;
};

class Topology {
 public:
  Topology(const std::vector<Resource>& resources, const Site& site, Predictor* predictor,
           base::Diagnostics& out)
      : resources_(resources), site_(site), predictor_(predictor), out_(out) {}

  void run() {
    for (const auto& device : site_.devices) {
      check_shared_stream(device);
      streams_.add(device.spec.schema);
      check_uplinks("Device", device.spec.name, device.rows);
    }
    for (const auto& model : site_.models) check_teacher(model);
    for (const auto& rule : site_.streams) check_uplinks("Stream", rule.name, rule.rows);
    compile_rules();
  }

 private:
  const Resource* resource(std::string_view kind, std::string_view name) const {
    for (const auto& candidate : resources_) {
      if (candidate.kind->kind == kind && candidate.name == name) return &candidate;
    }
    return nullptr;
  }
  std::vector<std::string> names_of(std::string_view kind) const {
    std::vector<std::string> out;
    for (const auto& candidate : resources_) {
      if (candidate.kind->kind == kind) out.push_back(candidate.name);
    }
    return out;
  }

  void unknown(const Resource& owner, const Mark& mark, std::string_view kind,
               const std::string& name) {
    const auto names = names_of(kind);
    auto message = fmt::format("there is no {} \"{}\"", kind, name);
    add(out_, owner.file, mark, "unknown-reference", message,
        base::suggest(name, names).value_or(""));
  }

  void check_uplinks(std::string_view kind, const std::string& name, const RowPolicy& rows) {
    const auto* owner = resource(kind, name);
    for (const auto& uplink : rows.uplinks) {
      if (resource("Uplink", uplink) == nullptr)
        unknown(*owner, send_mark(*owner, uplink), "Uplink", uplink);
    }
  }

  static Mark send_mark(const Resource& owner, const std::string& uplink) {
    const auto* route = owner.spec.find("route");
    for (const auto& item : route->items) {
      const auto* actions = item.find("do");
      for (const auto& action : actions == nullptr ? std::vector<Node>{} : actions->items) {
        const auto* send = action.find("send");
        if (send != nullptr && send->text == uplink) return send->mark;
      }
    }
    return owner.mark;
  }

  /// Devices that join one stream have one schema.
  void check_shared_stream(const DeviceResource& device) {
    const auto other = streams_.find(device.spec.schema->stream);
    if (other == nullptr || *other == *device.spec.schema) return;
    const auto* owner = resource("Device", device.spec.name);
    add(out_, owner->file, owner->spec.find("points")->mark, "wrong-type",
        fmt::format("the points of {} differ from those of another device of stream {}",
                    device.spec.name, device.spec.schema->stream));
  }

  void check_teacher(const ModelResource& model) {
    if (!model.cascade) return;
    const auto& teacher = model.cascade->teacher;
    if (teacher.starts_with("https:") || teacher.starts_with("http:")) return;
    const auto* owner = resource("Model", model.name);
    const auto mark = owner->spec.find("cascade")->find("teacher")->mark;
    const bool at_hub = teacher.starts_with("hub:");
    if (at_hub && site_.uplinks.empty()) {
      add(out_, owner->file, mark, "unknown-reference", "hub:NAME needs an Uplink to a hub");
    } else if (!at_hub && resource("Model", teacher) == nullptr) {
      unknown(*owner, mark, "Model", teacher);
    }
  }

  /// Compiles whatever has all its inputs until nothing moves; what is left reads something
  /// that does not exist, or itself.
  void compile_rules() {
    std::vector<const StreamResource*> waiting;
    for (const auto& rule : site_.streams) waiting.push_back(&rule);
    for (bool moved = true; moved;) {
      moved = false;
      for (auto at = waiting.begin(); at != waiting.end();) {
        const bool ready = ready_to_compile(**at);
        if (ready) {
          compile(**at);
          at = waiting.erase(at);
          moved = true;
        } else {
          ++at;
        }
      }
    }
    for (const auto* rule : waiting) compile_or_cycle(*rule);
  }

  std::vector<std::string> inputs(const StreamResource& rule) const {
    std::vector<std::string> names;
    const auto parsed = stream::parse(rule.sql);
    if (!parsed) return names;
    const auto* source = &parsed->from;
    while (source->query) source = &source->query->from;
    names.push_back(source->name.text);
    for (const auto& join : parsed->joins) names.push_back(join.source.name.text);
    return names;
  }

  bool is_rule(const std::string& sql) const {
    return std::any_of(site_.streams.begin(), site_.streams.end(),
                       [&](const auto& rule) { return sql_name(rule.name) == sql; });
  }

  bool ready_to_compile(const StreamResource& rule) const {
    for (const auto& input : inputs(rule)) {
      if (is_rule(input) && streams_.find(input) == nullptr && !failed_.contains(input))
        return false;
    }
    return true;
  }

  void compile(const StreamResource& rule) {
    const auto* owner = resource("Stream", rule.name);
    for (const auto& input : inputs(rule)) {
      // Its own fault has been reported; what depends on it cannot be judged.
      if (failed_.contains(input)) {
        failed_.insert(sql_name(rule.name));
        return;
      }
    }
    const stream::RuleSpec spec{.name = rule.name, .sql = rule.sql, .lateness = rule.rows.lateness};
    auto compiled = stream::compile(spec, streams_, predictor_);
    if (!compiled) {
      failed_.insert(sql_name(rule.name));
      for (auto& inner : compiled.error())
        out_.push_back(in_file(inner, owner->file, rule.sql_node));
      return;
    }
    streams_.add((*compiled)->output());
    check_acts(*owner, rule, (*compiled)->output());
  }

  void compile_or_cycle(const StreamResource& rule) {
    const auto* owner = resource("Stream", rule.name);
    failed_.insert(sql_name(rule.name));
    std::string circle = rule.name;
    for (const auto& input : inputs(rule)) circle += " <- " + input;
    add(out_, owner->file, rule.sql_node.mark, "cycle",
        fmt::format("stream {} reads itself: {}", rule.name, circle));
  }

  void check_acts(const Resource& owner, const StreamResource& rule, const SchemaPtr& schema) {
    const auto* nodes = owner.spec.find("act");
    for (std::size_t i = 0; i < rule.acts.size(); ++i) {
      const auto& act = rule.acts[i];
      const auto& node = nodes->items[i];
      report(stream::Expression::compile_condition(act.when, schema), owner, node.find("when"));
      if (act.alarm)
        report(stream::Template::compile(act.alarm->text, schema), owner,
               node.find("alarm")->find("text"));
      if (act.write) {
        report(stream::Expression::compile(act.write->value, schema), owner,
               node.find("write")->find("value"));
        check_write(owner, act, *node.find("write"));
      }
    }
  }

  template <class T>
  void report(const stream::Checked<T>& checked, const Resource& owner, const Node* node) {
    if (checked || node == nullptr) return;
    for (const auto& inner : checked.error()) out_.push_back(in_file(inner, owner.file, *node));
  }

  void check_write(const Resource& owner, const Act& act, const Node& node) {
    const auto at =
        std::find_if(site_.devices.begin(), site_.devices.end(),
                     [&](const auto& device) { return device.spec.name == act.write->device; });
    if (at == site_.devices.end()) {
      unknown(owner, node.find("device")->mark, "Device", act.write->device);
      return;
    }
    std::vector<std::string> names;
    for (const auto& point : at->spec.points) {
      if (point.name == act.write->point && !point.write) {
        add(out_, owner.file, node.find("point")->mark, "unsupported",
            fmt::format("point {} of {} is read-only: declare `write:` in the device", point.name,
                        at->spec.name));
      }
      if (point.name == act.write->point) return;
      names.push_back(point.name);
    }
    add(out_, owner.file, node.find("point")->mark, "unknown-reference",
        fmt::format("device {} has no point \"{}\"", at->spec.name, act.write->point),
        base::suggest(act.write->point, names).value_or(""));
  }

  const std::vector<Resource>& resources_;
  const Site& site_;
  Predictor* predictor_;
  base::Diagnostics& out_;
  Streams streams_;
  std::set<std::string> failed_;
};

}  // namespace

base::Diagnostic in_file(base::Diagnostic inner, const std::string& file, const Node& scalar) {
  inner.file = file;
  const int width = inner.end - inner.column;
  if (scalar.block) {
    // All lines of a `|` block are indented like its first.
    inner.line += scalar.mark.line - 1;
    inner.column += scalar.mark.column - 1;
  } else if (inner.line == 1) {
    inner.line = scalar.mark.line;
    inner.column += scalar.mark.column - 1 + (scalar.plain ? 0 : 1);
  } else {
    inner.line = scalar.mark.line;
    inner.column = scalar.mark.column;
  }
  inner.end = inner.column + std::max(1, width);
  return inner;
}

void check_topology(const std::vector<Resource>& resources, const Site& site, Predictor* predictor,
                    base::Diagnostics& out) {
  Topology(resources, site, predictor, out).run();
}

}  // namespace infiniedge::app::config
