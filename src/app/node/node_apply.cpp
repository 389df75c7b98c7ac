// SPDX-License-Identifier: Apache-2.0
// Transactional change: validate everything, build beside the old, write the revision, swap.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "app/commands/print.hpp"
#include "app/config/canonical.hpp"
#include "app/config/model_files.hpp"
#include "app/node/node.hpp"
#include "app/parts.hpp"
#include "runtime/log.hpp"
#include "runtime/memory.hpp"

namespace infiniedge::app {

namespace fs = std::filesystem;
namespace json = boost::json;
using api::admin::ApplyOptions;
using api::admin::Refusal;
using runtime::Level;
using runtime::log;

namespace {

record::Lane lane_of(const std::string& name) {
  if (name == "alarm") return record::Lane::Alarm;
  if (name == "high") return record::Lane::High;
  return name == "bulk" ? record::Lane::Bulk : record::Lane::Normal;
}

record::StreamPolicy policy_of(const config::RowPolicy& rows) {
  return {.lane = lane_of(rows.lane), .keep = rows.keep, .uplinks = rows.uplinks};
}

stream::OnError on_error_of(const std::string& name) {
  if (name == "skip") return stream::OnError::Skip;
  if (name == "dead_letter") return stream::OnError::DeadLetter;
  return name == "stop" ? stream::OnError::Stop : stream::OnError::Null;
}

std::vector<decision::ActSpec> acts_of(const config::StreamResource& rule) {
  std::vector<decision::ActSpec> out;
  for (const auto& act : rule.acts) {
    decision::ActSpec spec{.when = act.when, .hold = act.hold, .cooldown = act.cooldown};
    if (act.alarm) {
      spec.severity = act.alarm->severity;
      spec.text = act.alarm->text;
    }
    if (act.write)
      spec.write = {
          .device = act.write->device, .point = act.write->point, .value = act.write->value};
    out.push_back(std::move(spec));
  }
  return out;
}

/// Is `file` one of `sources`, or in a folder that is?
bool same_file(const std::string& file, const std::vector<std::string>& sources) {
  std::error_code error;
  const auto path = fs::weakly_canonical(file, error);
  return std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
    const auto given = fs::weakly_canonical(source, error);
    return given == path || given == path.parent_path();
  });
}

Refusal invalid(const config::Validated& validated) {
  const auto& diagnostics = validated.loaded.diagnostics;
  const auto at = std::find_if(diagnostics.begin(), diagnostics.end(),
                               [](const auto& d) { return d.severity == base::Severity::Error; });
  return {.error = {Code::Invalid, at->message}, .diagnostics = diagnostics};
}

}  // namespace

bool Node::Change::touches(const std::string& id) const {
  const auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), id) != list.end();
  };
  return in(added) || in(changed) || in(removed);
}

/// What would be in effect: the incoming resources over the present ones.
config::Loaded Node::merged(config::Loaded incoming, const ApplyOptions& options) const {
  std::set<std::string> named;
  for (const auto& resource : incoming.resources) {
    named.insert(resource.id());
    const auto known = applied_.find(resource.id());
    if (known == applied_.end() || known->second.origin != "files") continue;
    if (same_file(known->second.resource.file, options.sources)) continue;
    config::add(incoming.diagnostics, resource.file, resource.mark, "duplicate-resource",
                fmt::format("{} is managed by {}: change it there, then apply that path",
                            resource.id(), known->second.resource.file));
  }
  for (const auto& [id, applied] : applied_) {
    const bool ours =
        applied.origin == options.origin || same_file(applied.resource.file, options.sources);
    const bool pruned = options.prune && ours;
    if (!named.contains(id) && !pruned) incoming.resources.push_back(applied.resource);
  }
  return incoming;
}

Node::Change Node::difference(const std::vector<config::Resource>& wanted) const {
  Change out;
  std::set<std::string> named;
  for (const auto& resource : wanted) {
    const auto id = resource.id();
    named.insert(id);
    const auto known = applied_.find(id);
    if (known == applied_.end())
      out.added.push_back(id);
    else if (known->second.hash != config::spec_hash(resource))
      out.changed.push_back(id);
    else
      ++out.kept;
  }
  for (const auto& [id, applied] : applied_) {
    if (!named.contains(id)) out.removed.push_back(id);
  }
  return out;
}

std::string Node::reply_of(const Change& change, std::uint64_t revision) {
  const auto list = [](const std::vector<std::string>& names) {
    json::array out;
    for (const auto& name : names) out.emplace_back(name);
    return out;
  };
  return json::serialize(json::object{{"revision", revision},
                                      {"added", list(change.added)},
                                      {"changed", list(change.changed)},
                                      {"removed", list(change.removed)},
                                      {"kept", change.kept},
                                      {"reset", list(change.reset)},
                                      {"warnings", json::array{}}});
}

Task<Node::Outcome> Node::apply(std::string body, ApplyOptions options) {
  auto loaded = merged(config::load_body(body, options.origin), options);
  const BuiltinParts parts;
  const config::Secrets secrets({settings_.configuration + "/secrets"});
  auto validated = config::validate(std::move(loaded), parts, secrets);
  if (!validated.good()) co_return tl::unexpected(invalid(validated));
  auto change = difference(validated.loaded.resources);
  if (options.dry_run || change.empty()) co_return reply_of(change, revision_);
  co_return co_await commit(std::move(validated), std::move(change), options.origin, true);
}

Task<Node::Outcome> Node::remove(std::string plural, std::string name) {
  const auto* kind = config::find_kind(plural);
  const auto id = kind == nullptr ? "" : std::string{kind->kind} + "/" + name;
  const auto known = applied_.find(id);
  if (known == applied_.end()) {
    co_return tl::unexpected(
        Refusal{.error = {Code::NotFound, fmt::format("there is no {}/{}", plural, name)},
                .diagnostics = {}});
  }
  config::Loaded loaded;
  for (const auto& [other, applied] : applied_) {
    if (other != id) loaded.resources.push_back(applied.resource);
  }
  const BuiltinParts parts;
  const config::Secrets secrets({settings_.configuration + "/secrets"});
  auto validated = config::validate(std::move(loaded), parts, secrets);
  if (!validated.good()) co_return tl::unexpected(invalid(validated));
  auto change = difference(validated.loaded.resources);
  co_return co_await commit(std::move(validated), std::move(change), "api", true);
}

Task<Result<void>> Node::load_site() {
  config::Loaded loaded;
  std::string origin = "files";
  if (settings_.files.empty()) {
    const auto latest =
        co_await runtime::run_on(world_.disk_worker, [this] { return revisions_.latest(); });
    if (!latest) co_return latest.error();
    if (!*latest) co_return Result<void>{};
    origin = "api";
    revision_ = (*latest)->number;
    loaded = config::load_body((*latest)->body, fmt::format("revision {}", revision_));
  } else {
    loaded = config::load(settings_.files, config::process_environment());
  }
  const BuiltinParts parts;
  const config::Secrets secrets({settings_.configuration + "/secrets"});
  // A revision was good when it was made: a file that has gone since must not keep the rest down.
  const config::ValidateOptions options{.environment = !settings_.files.empty()};
  auto validated = config::validate(std::move(loaded), parts, secrets, options);
  fmt::print(stderr, "{}", config::report(validated.loaded));
  if (!validated.good())
    co_return Error{Code::Invalid, "the configuration has errors; nothing was started"};
  auto change = difference(validated.loaded.resources);
  const bool persist = !settings_.files.empty();
  config::Loaded shown{.sources = validated.loaded.sources};
  auto outcome = co_await commit(std::move(validated), std::move(change), origin, persist);
  if (outcome) co_return Result<void>{};
  shown.diagnostics = std::move(outcome.error().diagnostics);
  fmt::print(stderr, "{}", config::report(shown));
  if (shown.diagnostics.empty()) co_return outcome.error().error;
  co_return Error{Code::Invalid, "the configuration has errors; nothing was started"};
}

/// Everything of a change that can fail; nothing of it shows yet. Then the revision is written.
Task<std::optional<Refusal>> Node::prepare(const config::Validated& validated, const Change& change,
                                           bool persist) {
  const auto& site = validated.site;
  if (const auto loaded = co_await load_models(site, change, !persist); !loaded)
    co_return Refusal{.error = loaded.error(), .diagnostics = {}};
  config::Validated judged{.loaded = {}, .site = {}};
  config::check_topology(validated.loaded.resources, site, cascade_.get(),
                         judged.loaded.diagnostics);
  if (!judged.good() && persist) co_return invalid(judged);
  if (const auto declared = co_await declare_streams(site); !declared)
    co_return Refusal{.error = declared.error(), .diagnostics = {}};
  if (!persist) co_return std::nullopt;
  const auto body = full_body(validated.loaded.resources);
  const auto number = co_await runtime::run_on(world_.disk_worker,
                                               [this, &body] { return revisions_.append(body); });
  if (!number) co_return Refusal{.error = number.error(), .diagnostics = {}};
  revision_ = *number;
  co_return std::nullopt;
}

/// Until the revision is written a failure changes nothing; after it nothing can fail.
Task<Node::Outcome> Node::commit(config::Validated validated, Change change, std::string origin,
                                 bool persist) {
  if (applying_) {
    co_return tl::unexpected(Refusal{
        .error = {Code::Exhausted, "another change is under way; try again"}, .diagnostics = {}});
  }
  applying_ = true;
  auto& site = validated.site;
  if (auto refusal = co_await prepare(validated, change, persist)) {
    co_await restore_models(change);
    applying_ = false;
    co_return tl::unexpected(std::move(*refusal));
  }
  co_await stop_parts(change, site);
  const auto now = world_.clock.wall();
  for (const auto& id : change.removed) applied_.erase(id);
  for (const auto& resource : validated.loaded.resources) {
    const auto id = resource.id();
    if (!change.touches(id)) continue;
    const auto before = applied_.find(id);
    const bool from_file = before != applied_.end() && before->second.origin == "files";
    // Positions in a body mean nothing once it is gone.
    const auto own = origin == "files" ? resource.file : id;
    const auto file = from_file ? before->second.resource.file : own;
    applied_[id] = Applied{.resource = resource,
                           .hash = config::spec_hash(resource),
                           .origin = from_file ? std::string{"files"} : origin,
                           .version = next_version_++,
                           .since = now};
    applied_[id].resource.file = file;
  }
  site_ = std::move(site);
  start_cascades(site_);
  change.reset = start_rules(site_, change);
  start_devices(site_);
  start_uplinks(site_);
  applying_ = false;
  const bool loaded = std::any_of(site_.models.begin(), site_.models.end(), [&](const auto& model) {
    return change.touches("Model/" + model.name);
  });
  if (started_ && loaded) runtime::release_start_memory();
  log(Level::Info, "app",
      fmt::format("revision {}: {} added, {} changed, {} removed, {} kept", revision_,
                  change.added.size(), change.changed.size(), change.removed.size(), change.kept));
  co_return reply_of(change, revision_);
}

/// A model that cannot be loaded ends the change. At the start of a revision that was good once
/// (`lenient`) it does not: the rest runs, and the model's status says why it does not.
Task<Result<void>> Node::load_models(const config::Site& site, const Change& change, bool lenient) {
  for (const auto& resource : site.models) {
    if (!change.touches("Model/" + resource.name) || resource.paused) continue;
    Result<void> loaded;
    auto definition = config::definition_of(resource);
    if (definition)
      loaded = co_await models_->load_definition(std::move(*definition));
    else
      loaded = definition.error();
    if (loaded) continue;
    if (!lenient) co_return loaded;
    log(Level::Error, "app", "a model cannot be loaded; the rest goes on without it",
        {{"resource", "Model/" + resource.name}, {"error", loaded.error().describe()}});
  }
  co_return Result<void>{};
}

/// A change that is refused leaves the models that were there.
Task<void> Node::restore_models(const Change& change) {
  for (const auto* list : {&change.added, &change.changed}) {
    for (const auto& id : *list) {
      if (!id.starts_with("Model/")) continue;
      const auto name = id.substr(id.find('/') + 1);
      const auto before =
          std::find_if(site_.models.begin(), site_.models.end(),
                       [&](const config::ModelResource& model) { return model.name == name; });
      if (before == site_.models.end() || before->paused) {
        (void)co_await models_->unload(name);
        continue;
      }
      auto definition = config::definition_of(*before);
      if (definition) (void)co_await models_->load_definition(std::move(*definition));
    }
  }
}

/// Rules' streams are declared with their first rows' schema, once the engine has compiled them.
Task<Result<void>> Node::declare_streams(const config::Site& site) {
  for (const auto& device : site.devices) {
    const auto declared = co_await store_->declare(device.spec.schema, policy_of(device.rows));
    if (!declared) co_return declared.error();
  }
  std::map<std::string, SchemaPtr, std::less<>> known;
  Schemas schemas;
  schemas.schemas = schemas_.schemas;
  for (const auto& device : site.devices)
    schemas.schemas[device.spec.schema->stream] = device.spec.schema;
  for (const auto& model : site.models) {
    const auto schema = decision::Cascade::decision_schema(model.name);
    schemas.schemas[schema->stream] = schema;
  }
  std::vector<const config::StreamResource*> waiting;
  for (const auto& rule : site.streams) waiting.push_back(&rule);
  for (std::size_t before = waiting.size() + 1; waiting.size() < before;) {
    before = waiting.size();
    for (auto at = waiting.begin(); at != waiting.end();) {
      const stream::RuleSpec spec{
          .name = (*at)->name, .sql = (*at)->sql, .lateness = (*at)->rows.lateness};
      auto rule = stream::compile(spec, schemas, nullptr);
      if (!rule) {
        ++at;
        continue;
      }
      const auto schema = (*rule)->output();
      const auto declared = co_await store_->declare(schema, policy_of((*at)->rows));
      if (!declared) co_return declared.error();
      schemas.schemas[schema->stream] = schema;
      at = waiting.erase(at);
    }
  }
  schemas_.schemas.clear();
  for (const auto& device : site.devices)
    schemas_.schemas[device.spec.schema->stream] = device.spec.schema;
  for (const auto& model : site.models) {
    const auto schema = decision::Cascade::decision_schema(model.name);
    schemas_.schemas[schema->stream] = schema;
  }
  schemas_.schemas["alarms"] = decision::Alarms::schema();
  co_return Result<void>{};
}

Task<void> Node::stop_parts(const Change& change, const config::Site& next) {
  for (auto at = devices_.begin(); at != devices_.end();) {
    if (change.touches("Device/" + at->first)) {
      co_await at->second.supervisor->stop();
      at = devices_.erase(at);
    } else {
      ++at;
    }
  }
  for (auto at = uplinks_.begin(); at != uplinks_.end();) {
    if (change.touches("Uplink/" + at->first)) {
      co_await at->second->stop();
      at = uplinks_.erase(at);
    } else {
      ++at;
    }
  }
  for (const auto& id : change.removed) {
    const auto name = id.substr(id.find('/') + 1);
    if (id.starts_with("Stream/")) {
      stop_rule(name);
    }
    if (id.starts_with("Model/")) {
      cascade_->remove(name);
      (void)co_await models_->unload(name);
    }
  }
  for (const auto& model : next.models) {
    if (model.paused && change.touches("Model/" + model.name))
      (void)co_await models_->unload(model.name);
  }
}

void Node::stop_rule(const std::string& name) {
  acts_->remove(config::sql_name(name), world_.clock.wall());
  if (const auto removed = engine_->remove(name); !removed) {
    log(Level::Warning, "app", "a rule stays until its readers are gone",
        {{"resource", "Stream/" + name}, {"error", removed.error().describe()}});
  }
}

std::vector<std::string> Node::start_rules(const config::Site& site, const Change& change) {
  std::vector<std::string> reset;
  std::vector<const config::StreamResource*> waiting;
  rule_faults_.clear();
  for (const auto& rule : site.streams) {
    if (!rule.paused)
      waiting.push_back(&rule);
    else if (engine_->find(rule.name) != nullptr)
      stop_rule(rule.name);
  }
  // A rule compiles once those that it reads are there: as many passes as the longest chain.
  for (std::size_t before = waiting.size() + 1; !waiting.empty() && waiting.size() < before;) {
    before = waiting.size();
    std::erase_if(waiting, [&](const config::StreamResource* rule) {
      const stream::RuleSpec spec{.name = rule->name,
                                  .sql = rule->sql,
                                  .lateness = rule->rows.lateness,
                                  .on_error = on_error_of(rule->on_error)};
      const auto put = engine_->put(spec);
      if (!put) {
        rule_faults_[rule->name] = put.error().empty() ? "" : put.error()[0].message;
        return false;
      }
      rule_faults_.erase(rule->name);
      for (const auto& name : put->reset) reset.push_back(rule->name + ": " + name);
      if (change.touches("Stream/" + rule->name)) {
        (void)acts_->put(config::sql_name(rule->name), engine_->find(rule->name)->output(),
                         acts_of(*rule), world_.clock.wall());
      }
      return true;
    });
  }
  for (const auto& [name, why] : rule_faults_)
    log(Level::Error, "app", "a rule could not be started", {{"resource", name}, {"error", why}});
  return reset;
}

void Node::start_devices(const config::Site& site) {
  for (const auto& resource : site.devices) {
    if (resource.paused || devices_.contains(resource.spec.name)) continue;
    auto& device = devices_[resource.spec.name];
    device.resource = resource;
    device.feed = std::make_unique<Feed>(*this, resource.spec.name);
    const device::Environment environment{world_.shard.executor(), world_.clock, world_.entropy,
                                          world_.compute, world_.metrics};
    device.supervisor = std::make_unique<device::Supervisor>(
        resource.connector, resource.spec, connectors(), environment, *device.feed);
    device.supervisor->start();
  }
}

std::shared_ptr<decision::Teacher> Node::teacher_of(const config::ModelResource& model,
                                                    const config::Site& site) {
  const auto& teacher = model.cascade->teacher;
  decision::HttpTeacher::Options options{.labels = model.classes};
  if (teacher.starts_with("hub:")) {
    const auto& uplink = site.uplinks.front();
    options.address = uplink.address;
    options.model = teacher.substr(4);
    options.token = uplink.token;
    options.client.fingerprint = uplink.fingerprint;
    options.client.ca = uplink.ca;
  } else {
    const auto at = teacher.find("/v2/models/");
    options.address = teacher.substr(0, at);
    options.model = at == std::string::npos ? teacher : teacher.substr(at + 11);
  }
  auto made = decision::HttpTeacher::make(world_.shard.executor(), std::move(options));
  if (made) return std::move(*made);
  log(Level::Error, "decision", "the teacher cannot be used",
      {{"resource", model.name}, {"error", made.error().describe()}});
  return nullptr;
}

void Node::start_cascades(const config::Site& site) {
  for (const auto& model : site.models) {
    if (!model.cascade || model.paused) {
      cascade_->remove(model.name);
      continue;
    }
    const auto& wanted = *model.cascade;
    decision::CascadeSpec spec{.model = model.name,
                               .threshold = wanted.threshold,
                               .timeout = wanted.timeout,
                               .share = wanted.share,
                               .burst = wanted.burst,
                               .abstain_offline = wanted.abstain_offline};
    cascade_->put(std::move(spec), teacher_of(model, site));
  }
}

void Node::start_uplinks(const config::Site& site) {
  for (const auto& resource : site.uplinks) {
    if (resource.paused || uplinks_.contains(resource.name)) continue;
    sync::UplinkOptions options;
    options.name = resource.name;
    options.address = resource.address;
    options.token = resource.token;
    options.ca = resource.ca;
    options.cert = resource.cert;
    options.key = resource.key;
    options.fingerprint = resource.fingerprint;
    options.order = resource.order;
    options.node = settings_.name;
    auto uplink = sync::make_uplink(world_.shard.executor(), *store_, world_.clock, world_.entropy,
                                    world_.metrics, std::move(options));
    if (!uplink) {
      log(Level::Error, "sync", "an uplink cannot be used",
          {{"resource", resource.name}, {"error", uplink.error().describe()}});
      continue;
    }
    (*uplink)->start();
    uplinks_[resource.name] = std::move(*uplink);
  }
}

}  // namespace infiniedge::app
