// SPDX-License-Identifier: Apache-2.0
#include "app/node/serve.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "api/inference/grpc/service.hpp"
#include "api/rpc/server.hpp"
#include "app/commands/command.hpp"
#include "app/exit_code.hpp"
#include "app/node/door.hpp"
#include "app/node/grpc_door.hpp"
#include "app/node/metrics_door.hpp"
#include "runtime/log.hpp"
#include "runtime/memory.hpp"

namespace infiniedge::app {

namespace asio = boost::asio;
namespace http = runtime::http;
using runtime::Level;
using runtime::log;

namespace {

constexpr Micros kDrain = Seconds{30};
constexpr Micros kFailedGrace = Seconds{5};  ///< Health says so first.

/// One run of the process, from start to the last drain.
class Run {
 public:
  explicit Run(Settings settings)
      : settings_(std::move(settings)), signals_(world_.shard.context(), SIGTERM, SIGINT) {}

  int go() {
    asio::co_spawn(world_.shard.context(), main(), [this](std::exception_ptr error) {
      if (error) exit_ = EX_SOFTWARE;
      world_.shard.stop_here();
    });
    world_.shard.run_here();
    return exit_;
  }

 private:
  Task<void> main() {
    events_ = std::make_unique<api::Events>(
        world_.shard.executor(), world_.clock,
        static_cast<std::uint32_t>(to_us(world_.clock.wall()) / 1'000'000));
    auto node = co_await Node::open(world_, settings_, *events_);
    if (!node) {
      exit_ = fail_with(node.error());
      co_return;
    }
    node_ = std::move(*node);
    publish_logs();
    watchdog_.spawn(watch_store());
    const auto started = co_await start();
    if (started)
      co_await wait_for_end();
    else
      exit_ = fail_with(started.error(), Input::Configuration);
    node_->models().stop_accepting();  // Not ready from now on, while what runs is answered.
    runtime::on_log({});
    co_await watchdog_.close();
    if (metrics_server_) co_await metrics_server_->close(Micros{0});
    if (grpc_) co_await grpc_->close(kDrain);
    if (server_) co_await server_->close(kDrain);
    if (door_) co_await door_->close();
    co_await node_->close();
  }

  Task<Result<void>> start() {
    if (!settings_.node_token.empty())
      auth_.add_token("node", api::Role::Node, settings_.node_token);
    protocol_.memory = api::inference::SharedMemory(settings_.inference_shared_memory);
    door_ = std::make_unique<Door>(world_, *node_, auth_, *events_, protocol_, settings_);
    server_ = http::Server::make(world_.shard.executor(), *door_, http::Server::Options{});
    if (const auto listening = listen(); !listening) co_return listening.error();
    if (const auto listening = listen_grpc(); !listening) co_return listening.error();
    co_await node_->load_repository();
    if (const auto loaded = co_await node_->load_site(); !loaded) co_return loaded.error();
    node_->set_started();
    announce();
    runtime::release_start_memory();
    co_return Result<void>{};
  }

  bool needs_tls(const std::string& address) const {
    if (address.starts_with("unix:")) return false;
    const bool loopback = address.empty() || address.starts_with("127.") ||
                          address.starts_with("localhost") || address.starts_with("[::1]");
    return settings_.tls || !settings_.tls_cert.empty() || !loopback;
  }

  Result<void> listen_grpc() {
    if (settings_.grpc == "off") return {};
    std::optional<http::TlsFiles> tls;
    if (needs_tls(settings_.grpc)) {
      auto files = own_certificate();
      if (!files) return files.error();
      tls = std::move(*files);
      tls->client_ca = settings_.tls_client_ca;
    }
    grpc_ = std::make_unique<GrpcDoor>(world_, *node_, *door_, protocol_);
    return grpc_->listen(settings_.grpc, tls);
  }

  Result<void> listen() {
    std::optional<http::TlsFiles> tls;
    if (needs_tls(settings_.http)) {
      auto files = own_certificate();
      if (!files) return files.error();
      tls = std::move(*files);
      tls->client_ca = settings_.tls_client_ca;
    } else if (!settings_.tls_client_ca.empty()) {
      return Error{Code::Invalid, "tls.client_ca needs TLS: set tls.cert and tls.key, or --tls"};
    }
    const auto port = server_->listen(settings_.http, tls);
    if (!port) return port.error();
    door_->set_port(*port);
    const auto host = settings_.http.substr(0, settings_.http.rfind(':'));
    address_ = fmt::format("{}://{}:{}", tls ? "https" : "http", host, *port);
    if (!settings_.metrics_http.empty()) INFINIEDGE_TRY(listen_for_metrics(tls));
    if (settings_.socket.empty()) return {};
    return listen_on_socket();
  }

  Result<void> listen_for_metrics(const std::optional<http::TlsFiles>& tls) {
    metrics_door_ = std::make_unique<MetricsDoor>(*node_);
    metrics_server_ =
        http::Server::make(world_.shard.executor(), *metrics_door_, http::Server::Options{});
    const auto port = metrics_server_->listen(settings_.metrics_http, tls);
    if (!port) return port.error();
    const auto host = settings_.metrics_http.substr(0, settings_.metrics_http.rfind(':'));
    metrics_address_ = fmt::format("{}://{}:{}/metrics", tls ? "https" : "http", host, *port);
    return {};
  }

  /// Another node of this user may hold the socket: then this one is reached by --node only.
  Result<void> listen_on_socket() {
    std::error_code error;
    const auto folder = std::filesystem::path(settings_.socket).parent_path();
    std::filesystem::create_directories(folder, error);
    ::chmod(folder.c_str(), 0700);
    const auto bound = server_->listen("unix:" + settings_.socket);
    if (!bound) log(Level::Warning, "app", "no Unix socket", {{"error", bound.error().describe()}});
    return {};
  }

  Result<http::TlsFiles> own_certificate() {
    if (!settings_.tls_cert.empty())
      return http::TlsFiles{.cert = settings_.tls_cert, .key = settings_.tls_key};
    const auto folder = settings_.data + "/tls";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const http::TlsFiles files{.cert = folder + "/cert.pem", .key = folder + "/key.pem"};
    const auto kept = folder + "/fingerprint";
    if (std::filesystem::exists(files.cert, error)) {
      std::ifstream file(kept);
      std::getline(file, fingerprint_);
      return files;
    }
    const auto made = http::make_self_signed({settings_.name, "localhost", "127.0.0.1"}, files);
    if (!made) return made.error();
    fingerprint_ = *made;
    std::ofstream(kept) << fingerprint_ << "\n";
    return files;
  }

  void announce() {
    const auto link = fmt::format("{}/#t={}", address_, auth_.create_link());
    if (!fingerprint_.empty()) fmt::print(stderr, "certificate fingerprint: {}\n", fingerprint_);
    if (settings_.ready_file.empty()) {
      fmt::print(stderr, "console: {}\n", link);
      return;
    }
    const auto text = boost::json::serialize(
        boost::json::object{{"http", address_},
                            {"grpc", grpc_ ? grpc_->address() : ""},
                            {"metrics", metrics_address_},
                            {"console", link},
                            {"token", auth_.create_token("ready-file", api::Role::Admin)},
                            {"fingerprint", fingerprint_},
                            {"pid", getpid()}});
    const auto temporary = settings_.ready_file + ".tmp";
    {
      std::ofstream(temporary) << text << "\n";
    }
    ::chmod(temporary.c_str(), 0600);
    std::filesystem::rename(temporary, settings_.ready_file);
  }

  void publish_logs() {
    runtime::on_log(
        [executor = world_.shard.executor(), events = events_.get()](const std::string& line) {
          asio::post(executor, [events, line] { events->publish("log", "log", line); });
        });
  }

  /// A medium that failed is not written again by this process: the supervisor starts another.
  Task<void> watch_store() {
    while (co_await world_.clock.sleep_for(Seconds{1})) {
      if (!node_->store_failed()) continue;
      if (!co_await world_.clock.sleep_for(kFailedGrace)) co_return;
      log(Level::Error, "app", "the store has failed: ending, so that a fresh process takes over");
      exit_ = EX_IOERR;
      signals_.cancel();
      co_return;
    }
  }

  Task<void> wait_for_end() {
    const auto [error, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!error) log(Level::Info, "app", fmt::format("signal {}: draining", number));
  }

  Settings settings_;
  World world_;
  asio::signal_set signals_;
  api::Auth auth_{world_.clock, world_.entropy};
  std::unique_ptr<api::Events> events_;
  std::unique_ptr<Node> node_;
  api::inference::ProtocolState protocol_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<MetricsDoor> metrics_door_;
  std::unique_ptr<http::Server> server_, metrics_server_;
  std::unique_ptr<GrpcDoor> grpc_;
  std::string address_, metrics_address_, fingerprint_;
  int exit_ = 0;
  runtime::Scope watchdog_{world_.shard.executor()};
};

int run_role(const Call& call, RoleOfProcess role) {
  auto settings = Settings::from(call, role);
  if (!settings) return fail_with(settings.error(), Input::Configuration);
  if (const auto configured = runtime::configure_log(settings->log_level, settings->log_format);
      !configured) {
    return fail_with(configured.error(), Input::Arguments);
  }
  return serve(std::move(*settings));
}

}  // namespace

int serve(Settings settings) {
  // A client that has gone must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  return Run(std::move(settings)).go();
}

int run_up(const Call& call) { return run_role(call, RoleOfProcess::Node); }
int run_hub(const Call& call) { return run_role(call, RoleOfProcess::Hub); }

}  // namespace infiniedge::app
