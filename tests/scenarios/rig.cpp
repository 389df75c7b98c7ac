// SPDX-License-Identifier: Apache-2.0
#include "rig.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/commands/print.hpp"

namespace infiniedge::tests {

namespace fs = std::filesystem;
namespace json = boost::json;
using app::demo::Process;

Rig::Rig() {
  std::string pattern = (fs::temp_directory_path() / "infiniedge-scenario-XXXXXX").string();
  dir_ = mkdtemp(pattern.data());
}

Rig::~Rig() {
  if (fleet_)
    boost::asio::co_spawn(world_.shard.context(), fleet_->stop(), [](std::exception_ptr) {});
  world_.shard.stop();
  node_.reset();
  hub_.reset();
  broker_.reset();
  relay_.reset();
  std::error_code error;
  fs::remove_all(dir_, error);
}

std::string Rig::start(int plugs) {
  auto assets = app::demo::Assets::find();
  if (!assets) return "skip: " + assets.error().message();
  assets_ = *assets;
  story_ = {.dir = dir_,
            .plugs = plugs,
            .broker_port = app::demo::free_port(28830),
            .broker_user = "plugs",
            .broker_password = "plugs-password",
            .hub_token = "ie1_scenario"};
  if (const auto written = app::demo::write_files(story_, assets_); !written)
    return written.error().message();
  auto passwords =
      Process::start({.command = {"mosquitto_passwd", "-b", "-c", dir_ + "/broker.passwd",
                                  story_.broker_user, story_.broker_password},
                      .environment = {},
                      .log = {}});
  if (!passwords) return "skip: " + passwords.error().message();
  while (passwords->running()) std::this_thread::yield();
  ::chmod((dir_ + "/broker.passwd").c_str(), 0644);
  ::chmod(dir_.c_str(), 0711);
  auto broker = Process::start({.command = {"/usr/sbin/mosquitto", "-c", dir_ + "/broker.conf"},
                                .environment = {},
                                .log = dir_ + "/broker.log"});
  if (!broker) return "skip: " + broker.error().message();
  broker_.emplace(std::move(*broker));
  hub_port_ = static_cast<std::uint16_t>(app::demo::free_port(28100));
  node_port_ = static_cast<std::uint16_t>(app::demo::free_port(28400));
  relay_ = std::make_unique<Relay>(hub_port_);
  if (auto failed = start_hub(); !failed.empty()) return failed;
  story_.hub_address = fmt::format("https://127.0.0.1:{}", relay_->port());
  story_.hub_fingerprint = hub_side_.fingerprint;
  const auto site =
      app::demo::write_private(dir_ + "/site.yaml", app::demo::site_yaml(story_, assets_));
  return site ? start_node() : site.error().message();
}

std::string Rig::await_ready(Process& process, const std::string& name, Side& side) {
  const auto path = dir_ + "/" + name + ".ready";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (std::chrono::steady_clock::now() < end && process.running()) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!text.empty()) {
      const auto value = json::parse(text);
      side = {.http = app::text_at(value, "/http"),
              .token = app::text_at(value, "/token"),
              .fingerprint = app::text_at(value, "/fingerprint")};
      return "";
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fmt::format("{} did not start:\n{}", name, logs());
}

std::string Rig::start_hub() {
  fs::remove(dir_ + "/hub.ready");
  auto hub = Process::start(
      {.command = {INFINIEDGE_BINARY, "hub", "--http", fmt::format("127.0.0.1:{}", hub_port_),
                   "--tls", "--data", dir_ + "/hub", "--models", dir_ + "/models",
                   "--node-token-file", dir_ + "/hub.token", "--ready-file", dir_ + "/hub.ready"},
       .environment = {{"CONFIGURATION_DIRECTORY", dir_ + "/hub-config"}},
       .log = dir_ + "/hub.log"});
  if (!hub) return hub.error().message();
  hub_.emplace(std::move(*hub));
  return await_ready(*hub_, "hub", hub_side_);
}

std::string Rig::start_node() {
  fs::remove(dir_ + "/node.ready");
  auto node =
      Process::start({.command = {INFINIEDGE_BINARY, "up", "-f", dir_ + "/site.yaml", "--http",
                                  fmt::format("127.0.0.1:{}", node_port_), "--data", dir_ + "/node",
                                  "--ready-file", dir_ + "/node.ready"},
                      .environment = {{"CONFIGURATION_DIRECTORY", dir_ + "/config"},
                                      {"RUNTIME_DIRECTORY", dir_ + "/run"}},
                      .log = dir_ + "/node.log"});
  if (!node) return node.error().message();
  node_.emplace(std::move(*node));
  return await_ready(*node_, "node", node_side_);
}

void Rig::kill_node() {
  node_->signal(SIGKILL);
  while (node_->running()) std::this_thread::yield();
}

void Rig::kill_hub() {
  hub_->signal(SIGKILL);
  while (hub_->running()) std::this_thread::yield();
}

void Rig::play(std::size_t recordings, Micros between) {
  device::replay::PlugFleet::Options options;
  options.address = fmt::format("mqtt://127.0.0.1:{}", story_.broker_port);
  options.username = story_.broker_user;
  options.password = story_.broker_password;
  options.recordings = assets_.recordings;
  options.plan.plugs = story_.plugs;
  options.plan.between = between;
  options.plan.limit = recordings;
  const device::Environment environment{world_.shard.executor(), world_.clock, world_.entropy,
                                        world_.compute, world_.metrics};
  fleet_ = std::make_unique<device::replay::PlugFleet>(environment, options);
  playing_ = true;
  boost::asio::co_spawn(world_.shard.context(), run_fleet(), [](std::exception_ptr) {});
  world_.shard.start();
}

Task<void> Rig::run_fleet() {
  (void)co_await fleet_->run();
  playing_ = false;
}

bool Rig::playing() const { return playing_; }

std::unique_ptr<app::NodeClient> Rig::client(const Side& side, const std::string& name) {
  const auto token = dir_ + "/" + name + ".token";
  if (!app::demo::write_private(token, side.token)) return nullptr;
  app::NodeClient::Options options{.node = side.http, .token_file = token};
  options.fingerprint = side.fingerprint;
  auto opened = app::NodeClient::open(options);
  return opened ? std::move(*opened) : nullptr;
}

std::map<std::uint64_t, int> Rig::sequence(bool at_hub, const std::string& stream) {
  std::map<std::uint64_t, int> out;
  const auto asked = client(at_hub ? hub_side_ : node_side_, at_hub ? "hub-client" : "node-client");
  const auto body =
      json::serialize(json::object{{"sql", "SELECT _seq FROM " + stream}, {"max_rows", 1'000'000}});
  const auto reply = asked->call("POST", "/v1/query", body);
  if (!reply) return out;
  for (const auto& row : reply->at("rows").as_array())
    ++out[row.as_array()[0].to_number<std::uint64_t>()];
  return out;
}

std::uint64_t Rig::count(const std::string& sql) {
  const auto asked = client(node_side_, "node-client");
  const auto reply = asked->call("POST", "/v1/query", json::serialize(json::object{{"sql", sql}}));
  if (!reply || reply->at("rows").as_array().empty()) return 0;
  return reply->at("rows").as_array()[0].as_array()[0].to_number<std::uint64_t>();
}

std::string Rig::metrics(bool of_hub) {
  const auto asked = client(of_hub ? hub_side_ : node_side_, of_hub ? "hub-client" : "node-client");
  const auto text = asked->text("GET", "/metrics", "", "text/plain");
  return text ? *text : std::string{};
}

std::string Rig::logs() const {
  std::string out;
  for (const auto* name : {"node", "hub", "broker"}) {
    std::ifstream file(dir_ + "/" + name + ".log");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    out += fmt::format("--- {} ---\n{}\n", name,
                       text.size() > 3000 ? text.substr(text.size() - 3000) : text);
  }
  return out;
}

}  // namespace infiniedge::tests
