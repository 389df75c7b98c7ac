// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/inference/grpc/service.hpp"
#include "model/testing/bench_server.hpp"
#include "runtime/clock.hpp"
#include "runtime/shard.hpp"

namespace infiniedge::api::inference::grpc::testing {

/// A model server with its gRPC door on a real socket, on a shard of its own.
class LiveGrpc {
 public:
  struct Options {
    std::string address = "127.0.0.1:0";
    std::optional<runtime::http::TlsFiles> tls{};
    rpc::Limits limits{};
    Service::Refuse refuse{};
  };

  explicit LiveGrpc(std::filesystem::path repository)
      : LiveGrpc(std::move(repository), Options{}) {}
  LiveGrpc(std::filesystem::path repository, Options options)
      : models_(shard_.executor(), clock_, workers_, metrics_,
                {.name = "triton", .version = "test", .repository = std::move(repository)}),
        service_({models_, state_, workers_, metrics_}, options.refuse),
        server_(shard_.executor(), service_, options.limits) {
    models_.add(backend_);
    shard_.start();
    port_ = on_shard(listen(options.address, options.tls));
  }
  ~LiveGrpc() {
    on_shard(close());
    shard_.stop();
  }

  std::uint16_t port() const { return port_; }
  model::Server& models() { return models_; }
  rpc::Server& server() { return server_; }
  runtime::Metrics& metrics() { return metrics_; }
  /// Runs a task on the shard and waits for its value.
  template <class T>
  T on_shard(Task<T> task) {
    return boost::asio::co_spawn(shard_.context(), std::move(task), boost::asio::use_future).get();
  }
  bool load(std::string name) { return on_shard(models_.load(std::move(name))).has_value(); }
  /// Says GOAWAY and drains.
  void stop() { on_shard(server_.close(Seconds{5})); }
  /// What `ask` returns, asked on the shard.
  template <class Ask>
  auto look(Ask ask) {
    return on_shard(looked(std::move(ask)));
  }

 private:
  template <class Ask>
  static Task<std::invoke_result_t<Ask>> looked(Ask ask) {
    co_return ask();
  }
  Task<std::uint16_t> listen(std::string address, std::optional<runtime::http::TlsFiles> tls) {
    co_return server_.listen(address, std::move(tls)).value();
  }
  Task<void> close() {
    co_await server_.close(Millis{100});
    co_await models_.close();
  }

  runtime::Shard shard_{"live"};
  runtime::SystemClock clock_;
  runtime::Workers workers_{"compute", 1};
  runtime::Metrics metrics_;
  model::onnx::Backend backend_;
  model::Server models_;
  ProtocolState state_{SharedMemory(true)};
  Service service_;
  rpc::Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace infiniedge::api::inference::grpc::testing
