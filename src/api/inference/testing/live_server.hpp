// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>

#include "api/inference/door.hpp"
#include "model/testing/bench_server.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/server.hpp"
#include "runtime/shard.hpp"

namespace infiniedge::api::inference::testing {

/// A model server with its door on a real socket, on a shard of its own.
class LiveServer final : public runtime::http::Handler {
 public:
  explicit LiveServer(std::filesystem::path repository)
      : models_(shard_.executor(), clock_, workers_, metrics_,
                {.name = "triton", .version = "test", .repository = std::move(repository)}),
        door_(Door::Parts{models_, state_, workers_, metrics_}) {
    models_.add(backend_);
    http_ = runtime::http::Server::make(shard_.executor(), *this, {});
    shard_.start();
    port_ = on_shard(listen());
  }
  ~LiveServer() override {
    on_shard(close());
    shard_.stop();
  }

  std::uint16_t port() const { return port_; }
  model::Server& models() { return models_; }
  /// Runs a task on the shard and waits for its value.
  template <class T>
  T on_shard(Task<T> task) {
    return boost::asio::co_spawn(shard_.context(), std::move(task), boost::asio::use_future).get();
  }
  bool load(std::string name) { return on_shard(models_.load(std::move(name))).has_value(); }

  Task<runtime::http::Response> handle(runtime::http::Request request) override {
    return door_.handle(std::move(request));
  }

 private:
  Task<std::uint16_t> listen() { co_return http_->listen("127.0.0.1:0").value(); }
  Task<void> close() {
    co_await http_->close(Millis{100});
    co_await models_.close();
  }

  runtime::Shard shard_{"live"};
  runtime::SystemClock clock_;
  runtime::Workers workers_{"compute", 1};
  runtime::Metrics metrics_;
  model::onnx::Backend backend_;
  model::Server models_;
  ProtocolState state_{SharedMemory(true)};
  Door door_;
  std::unique_ptr<runtime::http::Server> http_;
  std::uint16_t port_ = 0;
};

}  // namespace infiniedge::api::inference::testing
