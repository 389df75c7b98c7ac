// SPDX-License-Identifier: Apache-2.0
#include "app/node/node.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "api/inference/golden_reader.hpp"
#include "api/problem.hpp"
#include "app/node/row_json.hpp"
#include "app/parts.hpp"
#include "device/write_rule.hpp"
#include "runtime/log.hpp"

namespace infiniedge::app {

using runtime::Level;
using runtime::log;

Node::Node(World& world, Settings settings, api::Events& events)
    : world_(world),
      settings_(std::move(settings)),
      events_(events),
      started_at_(world.clock.wall()),
      revisions_(*world.disk, settings_.data + "/revisions"),
      scope_(world.shard.executor()) {}

Node::~Node() = default;

Task<Result<std::unique_ptr<Node>>> Node::open(World& world, Settings settings,
                                               api::Events& events) {
  auto node = std::make_unique<Node>(world, std::move(settings), events);
  const auto opened = co_await node->open_store();
  if (!opened) co_return opened.error();
  node->make_parts();
  co_return std::move(node);
}

Task<Result<void>> Node::open_store() {
  std::error_code error;
  std::filesystem::create_directories(settings_.data, error);
  std::filesystem::permissions(settings_.data, std::filesystem::perms::owner_all, error);
  store::Store::Environment environment;
  environment.executor = world_.shard.executor();
  environment.disk = world_.disk.get();
  environment.clock = &world_.clock;
  environment.entropy = &world_.entropy;
  environment.metrics = &world_.metrics;
  environment.disk_worker = &world_.disk_worker;
  environment.compute = &world_.compute;
  add_duckdb(environment);
  store::Store::Options options;
  options.dir = std::filesystem::absolute(settings_.data).string();
  options.memtable_bytes = settings_.store_memtable;
  options.log_bytes = settings_.store_log_bytes;
  options.seal_age = settings_.store_seal_age;
  options.max_bytes = settings_.store_max_bytes;
  auto opened = co_await store::Store::open(std::move(environment), std::move(options));
  if (!opened) co_return opened.error();
  store_ = std::move(*opened);
  store_->on_failed([this](Error failure) { store_failed_ = std::move(failure); });
  co_return Result<void>{};
}

void Node::make_parts() {
  auto& world = world_;
  const auto executor = world.shard.executor();
  recorder_ = std::make_unique<Recorder>(executor, *store_, world.clock, world.metrics);
  make_query();
  model::Server::Options model_options;
  model_options.name = settings_.inference_name;
  model_options.version = INFINIEDGE_VERSION;
  if (!settings_.models.empty()) model_options.repository = settings_.models;
  model_options.staging = std::filesystem::absolute(settings_.data) / "staging";
  model_options.golden = api::inference::read_golden;
  trial_ = std::make_unique<ProcessTrial>(settings_.plugins);
  model_options.trial = trial_.get();
  models_ = std::make_unique<model::Server>(executor, world.clock, world.compute, world.metrics,
                                            model_options);
  backends_ = backends().make({.cores = static_cast<int>(std::thread::hardware_concurrency()),
                               .cache = std::filesystem::path(settings_.data) / "cache",
                               .plugins = settings_.plugins});
  for (const auto& backend : backends_) models_->add(*backend);
  const auto own_rows = [this](Batch batch) { on_own_rows(std::move(batch)); };
  alarms_ = std::make_unique<decision::Alarms>(
      own_rows, [this](const decision::Alarm& alarm) { on_alarm(alarm); },
      static_cast<std::uint32_t>(to_us(started_at_) / 1'000'000));
  models_->on_rolled_back([this](const std::string& model, const std::string& why) {
    alarms_->raise(world_.clock.wall(), "models", model, "warning",
                   fmt::format("the new version of model {} was rolled back: {}", model, why));
  });
  acts_ = std::make_unique<decision::Acts>(
      *alarms_, [this](const auto& device, const auto& point, const auto& value) {
        write_from_rule(device, point, value);
      });
  cascade_ = std::make_unique<decision::Cascade>(world.clock, world.entropy, world.metrics,
                                                 *models_, own_rows);
  engine_ = std::make_unique<stream::Engine>(
      executor, world.clock, schemas_, cascade_.get(),
      [this](const std::string& stream, Batch batch) { on_rule_rows(stream, std::move(batch)); });
  make_ingest();
  scope_.spawn(tick());
}

/// What changes in the repository from now on is served without being asked for.
Task<void> Node::load_repository() {
  if (!settings_.models.empty()) {
    const auto executor = world_.shard.executor();
    model_watch_ = std::make_unique<model::RepositoryWatch>(
        *models_, world_.clock, world_.compute, executor,
        model::make_inotify(executor, settings_.models), model::RepositoryWatch::Times{});
    co_await model_watch_->remember();
  }
  co_await models_->load_all();
  if (model_watch_) model_watch_->start();
}

Task<void> Node::close() {
  started_ = false;
  if (model_watch_) co_await model_watch_->close();
  for (auto& [name, device] : devices_) co_await device.supervisor->stop();
  for (auto& [name, uplink] : uplinks_) co_await uplink->stop();
  co_await engine_->close();
  co_await scope_.close();
  co_await recorder_->close();
  co_await models_->close();
  co_await close_ingest();
  co_await store_->close();
}

bool Node::ready() {
  return started_ && !store_failed_ && store_->health() == store::Health::Good && models_->ready();
}

Result<void> Node::acknowledge_alarm(const std::string& id) {
  return alarms_->acknowledge(id, world_.clock.wall());
}

Task<Result<std::vector<PointValue>>> Node::read_device(std::string name,
                                                        std::vector<std::string> points) {
  const auto found = devices_.find(name);
  if (found == devices_.end())
    co_return Error{Code::NotFound, fmt::format("there is no device {}", name)};
  co_return co_await found->second.supervisor->read(std::move(points));
}

Task<Result<void>> Node::write_device(std::string name, std::vector<PointWrite> writes,
                                      bool dry_run) {
  const auto found = devices_.find(name);
  if (found == devices_.end())
    co_return Error{Code::NotFound, fmt::format("there is no device {}", name)};
  if (!dry_run) co_return co_await found->second.supervisor->write(std::move(writes));
  for (const auto& write : writes) {
    const auto& points = found->second.resource.spec.points;
    const auto at = std::find_if(points.begin(), points.end(),
                                 [&](const Point& p) { return p.name == write.point; });
    if (at == points.end())
      co_return Error{Code::NotFound, fmt::format("{} has no point {}", name, write.point)};
    const auto checked = device::check_write(found->second.resource.spec, *at, write.value);
    if (!checked) co_return checked.error();
  }
  co_return Result<void>{};
}

Task<runtime::http::Response> Node::tap(std::string kind, std::string name, std::string where) {
  const auto sql = config::sql_name(name);
  Tap tap{.topic = fmt::format("tap/{}/{}", sql, next_tap_++),
          .stream = sql,
          .device = {},
          .where = {}};
  SchemaPtr schema = schemas_.find(sql);
  const auto device = devices_.find(name);
  if (kind.starts_with("device") && device != devices_.end()) {
    schema = device->second.resource.spec.schema;
    tap.stream = schema->stream;
    tap.device = name;
  } else if (const auto* rule = engine_->find(name)) {
    schema = rule->output();
  }
  if (schema == nullptr)
    co_return api::problem(Error{Code::NotFound, fmt::format("there is no {}/{}", kind, name)});
  if (!where.empty()) {
    auto condition = stream::Expression::compile_condition(where, schema);
    if (!condition) {
      co_return api::problem(Error{Code::Invalid, condition.error()[0].message}, true,
                             condition.error());
    }
    tap.where.emplace(std::move(*condition));
  }
  auto response = events_.open(tap.topic, "");
  taps_.push_back(std::move(tap));
  co_return response;
}

SchemaPtr Node::Schemas::find(std::string_view name) const {
  const auto found = schemas.find(name);
  return found == schemas.end() ? nullptr : found->second;
}

std::vector<std::string> Node::Schemas::names() const {
  std::vector<std::string> out;
  for (const auto& [name, schema] : schemas) out.push_back(name);
  return out;
}

}  // namespace infiniedge::app
