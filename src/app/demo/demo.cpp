// SPDX-License-Identifier: Apache-2.0
// infiniedge demo: broker, plugs, hub and node on this machine, with real recordings.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/commands/command.hpp"
#include "app/commands/print.hpp"
#include "app/config/scalar.hpp"
#include "app/demo/judge.hpp"
#include "app/demo/process.hpp"
#include "app/demo/story.hpp"
#include "app/exit_code.hpp"
#include "app/node/world.hpp"
#include "app/paths.hpp"
#include "device/replay/publisher.hpp"

namespace infiniedge::app {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using demo::Process;

constexpr auto kStartLimit = std::chrono::seconds{20};
constexpr Micros kSettle = Seconds{15};  ///< The last windows close, the last rows travel.

/// Address and token that a child wrote when it was ready.
struct Ready {
  std::string http, console, token, fingerprint;
};

std::string random_word(runtime::Entropy& entropy) {
  return fmt::format("{:016x}{:016x}", entropy.u64(), entropy.u64());
}

class Demo {
 public:
  explicit Demo(const Call& call) : call_(call), check_(call.has("--check")) {}

  ~Demo() {
    node_.reset();
    hub_.reset();
    broker_.reset();
    if (!call_.has("--keep") && !dir_.empty() && !failed_) {
      std::error_code error;
      fs::remove_all(dir_, error);
    } else if (!dir_.empty()) {
      fmt::print(stderr, "data and logs: {}\n", dir_);
    }
  }

  int run() {
    const auto started = start();
    if (!started) {
      failed_ = true;
      return fail_with(started.error());
    }
    tell();
    play();
    if (!check_) return 0;
    return judge();
  }

 private:
  Result<void> start() {
    auto assets = demo::Assets::find();
    if (!assets) return assets.error();
    assets_ = *assets;
    INFINIEDGE_TRY(prepare());
    INFINIEDGE_TRY(start_broker());
    INFINIEDGE_TRY(start_hub());
    return start_node();
  }

  Result<void> prepare() {
    std::string pattern = (fs::temp_directory_path() / "infiniedge-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return Error{Code::Denied, "no temporary directory"};
    dir_ = pattern;
    plugs_ = static_cast<int>(config::parse_integer(call_.value("--plugs", "32")).value_or(32));
    if (plugs_ < 1 || plugs_ > 200) return Error{Code::Invalid, "--plugs is 1 to 200"};
    story_ = {.dir = dir_,
              .plugs = plugs_,
              .broker_port = demo::free_port(18830),
              .broker_user = "plugs",
              .broker_password = random_word(world_.entropy),
              .hub_token = "ie1_" + random_word(world_.entropy)};
    return demo::write_files(story_, assets_);
  }

  static std::string mosquitto() {
    for (const auto* path : {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"}) {
      if (access(path, X_OK) == 0) return path;
    }
    return "mosquitto";
  }

  Result<void> start_broker() {
    auto passwords =
        Process::start({.command = {"mosquitto_passwd", "-b", "-c", dir_ + "/broker.passwd",
                                    story_.broker_user, story_.broker_password},
                        .environment = {},
                        .log = dir_ + "/broker.log"});
    if (!passwords) return passwords.error();
    for (int i = 0; i < 500 && passwords->running(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // mosquitto gives up root after start, and reads its password file as that user.
    ::chmod((dir_ + "/broker.passwd").c_str(), 0644);
    ::chmod(dir_.c_str(), 0711);
    auto broker = Process::start({.command = {mosquitto(), "-c", dir_ + "/broker.conf"},
                                  .environment = {},
                                  .log = dir_ + "/broker.log"});
    if (!broker) return broker.error();
    broker_.emplace(std::move(*broker));
    return {};
  }

  Result<Ready> await_ready(Process& process, const std::string& name) {
    const auto end = std::chrono::steady_clock::now() + kStartLimit;
    const auto path = dir_ + "/" + name + ".ready";
    while (std::chrono::steady_clock::now() < end && process.running()) {
      std::ifstream file(path);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      if (!text.empty()) {
        const auto value = json::parse(text);
        return Ready{.http = text_at(value, "/http"),
                     .console = text_at(value, "/console"),
                     .token = text_at(value, "/token"),
                     .fingerprint = text_at(value, "/fingerprint")};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::ifstream log(dir_ + "/" + name + ".log");
    const std::string text{std::istreambuf_iterator<char>(log), {}};
    return Error{Code::Unavailable,
                 fmt::format("the {} did not start:\n{}", name,
                             text.substr(text.size() > 2000 ? text.size() - 2000 : 0))};
  }

  Result<void> start_hub() {
    auto hub = Process::start(
        {.command = {executable_path(), "hub", "--http",
                     fmt::format("127.0.0.1:{}", demo::free_port(8100)), "--tls", "--data",
                     dir_ + "/hub", "--models", dir_ + "/models", "--node-token-file",
                     dir_ + "/hub.token", "--ready-file", dir_ + "/hub.ready"},
         .environment = {{"CONFIGURATION_DIRECTORY", dir_ + "/hub-config"}},
         .log = dir_ + "/hub.log"});
    if (!hub) return hub.error();
    hub_.emplace(std::move(*hub));
    const auto ready = await_ready(*hub_, "hub");
    if (!ready) return ready.error();
    hub_ready_ = *ready;
    story_.hub_address = hub_ready_.http;
    story_.hub_fingerprint = hub_ready_.fingerprint;
    return {};
  }

  Result<void> start_node() {
    INFINIEDGE_TRY(demo::write_private(dir_ + "/site.yaml", demo::site_yaml(story_, assets_)));
    const auto begin = std::chrono::steady_clock::now();
    auto node =
        Process::start({.command = {executable_path(), "up", "-f", dir_ + "/site.yaml", "--http",
                                    fmt::format("127.0.0.1:{}", demo::free_port(8000)), "--data",
                                    dir_ + "/node", "--ready-file", dir_ + "/node.ready"},
                        .environment = {{"CONFIGURATION_DIRECTORY", dir_ + "/config"}},
                        .log = dir_ + "/node.log"});
    if (!node) return node.error();
    node_.emplace(std::move(*node));
    const auto ready = await_ready(*node_, "node");
    if (!ready) return ready.error();
    node_ready_ = *ready;
    start_ms_ =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    return {};
  }

  void tell() const {
    fmt::print(stderr,
               "node ready in {:.0f} ms; {} smart plugs replay recordings of real appliances\n\n",
               start_ms_, plugs_);
    fmt::print("console: {}\n", node_ready_.console);
    fmt::print(
        stderr,
        "\ntry in another terminal:\n  infiniedge get devices\n  infiniedge tap stream/appliances\n"
        "  infiniedge sql 'SELECT appliance, count(*) FROM appliances GROUP BY 1 ORDER BY 2 "
        "DESC'\n\nstop with Ctrl+C\n");
    std::fflush(stdout);
  }

  device::replay::PlugFleet::Options fleet_options() const {
    device::replay::PlugFleet::Options options;
    options.address = fmt::format("mqtt://127.0.0.1:{}", story_.broker_port);
    options.username = story_.broker_user;
    options.password = story_.broker_password;
    options.recordings = assets_.recordings;
    options.plan.plugs = plugs_;
    options.plan.between = check_ ? Millis{90} : Millis{400};
    return options;
  }

  void play() {
    asio::co_spawn(world_.shard.context(), session(),
                   [this](std::exception_ptr) { world_.shard.stop_here(); });
    world_.shard.run_here();
  }

  Task<void> session() {
    const device::Environment environment{world_.shard.executor(), world_.clock, world_.entropy,
                                          world_.compute, world_.metrics};
    fleet_ = std::make_unique<device::replay::PlugFleet>(environment, fleet_options());
    runtime::Scope scope(world_.shard.executor());
    scope.spawn(watch_signals());
    if (const auto limit = config::parse_duration(call_.value("--for", "0s"));
        limit && *limit > Micros{0}) {
      scope.spawn(stop_after(*limit));
    }
    do {
      const auto played = co_await fleet_->run();
      if (!played) fmt::print(stderr, "plugs: {}\n", played.error().describe());
    } while (!check_ && !stopped_);
    if (check_ && !stopped_) (void)co_await world_.clock.sleep_for(kSettle);
    co_await scope.close();
  }

  Task<void> watch_signals() {
    asio::signal_set signals(world_.shard.context(), SIGINT, SIGTERM);
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    stopped_ = true;
    co_await fleet_->stop();
  }

  Task<void> stop_after(Micros limit) {
    if (!co_await world_.clock.sleep_for(limit)) co_return;
    stopped_ = true;
    co_await fleet_->stop();
  }

  Result<std::unique_ptr<NodeClient>> client(const Ready& ready, const std::string& name) const {
    INFINIEDGE_TRY(demo::write_private(dir_ + "/" + name + ".token", ready.token));
    NodeClient::Options options{.node = ready.http, .token_file = dir_ + "/" + name + ".token"};
    options.fingerprint = ready.fingerprint;
    return NodeClient::open(options);
  }

  /// The recordings carry class numbers; labels.txt names them, a line each.
  std::vector<std::string> truths() const {
    std::vector<std::string> names;
    std::ifstream file(assets_.labels);
    for (std::string line; std::getline(file, line);) names.push_back(line);
    std::vector<std::string> out;
    for (const auto& label : fleet_->labels()) {
      const auto number = config::parse_integer(label);
      const bool known = number && *number >= 0 && static_cast<std::size_t>(*number) < names.size();
      out.push_back(known ? names[static_cast<std::size_t>(*number)] : label);
    }
    return out;
  }

  int judge() {
    auto node = client(node_ready_, "node");
    auto hub = client(hub_ready_, "hub");
    if (!node) return fail_with(node.error());
    if (!hub) return fail_with(hub.error());
    const auto summary =
        demo::judge(**node, **hub, truths(), fleet_->progress().published, start_ms_);
    if (!summary) {
      failed_ = true;
      return fail_with(summary.error());
    }
    fmt::print("{}\n", summary->json());
    const auto faults = summary->faults();
    for (const auto& fault : faults) fmt::print(stderr, "does not hold: {}\n", fault);
    failed_ = !faults.empty();
    return faults.empty() ? 0 : 1;
  }

  const Call& call_;
  bool check_, stopped_ = false, failed_ = false;
  World world_;
  std::string dir_;
  int plugs_ = 32;
  demo::Assets assets_;
  demo::StoryOptions story_;
  std::optional<Process> broker_, hub_, node_;
  Ready hub_ready_, node_ready_;
  double start_ms_ = 0;
  std::unique_ptr<device::replay::PlugFleet> fleet_;
};

}  // namespace

int run_demo(const Call& call) { return Demo(call).run(); }

}  // namespace infiniedge::app
