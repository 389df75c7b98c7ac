// SPDX-License-Identifier: Apache-2.0
// One small GET after another on a kept loopback connection: client and server are ours, each
// on its own thread. The counters are microseconds.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <future>

#include "runtime/http/client.hpp"
#include "runtime/http/server.hpp"
#include "runtime/shard.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::runtime::http {
namespace {

class Hello final : public Handler {
 public:
  Task<Response> handle(Request) override {
    Response response{.body = "hello"};
    co_return std::move(response);
  }
};

struct Served {
  Served() {
    server = Server::make(shard.executor(), handler, {});
    port = *server->listen("127.0.0.1:0");
    shard.start();
  }
  ~Served() {
    std::promise<void> closed;
    boost::asio::co_spawn(shard.executor(), server->close(Micros{0}),
                          [&](std::exception_ptr) { closed.set_value(); });
    closed.get_future().wait();
    shard.stop();
  }
  Hello handler;
  Shard shard{"bench"};
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};

Task<void> get_often(Client& client, benchmark::State& state, std::vector<double>& micros) {
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    Request request{.method = "GET", .target = "/"};
    const auto response = co_await client.send(std::move(request), Seconds{5});
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    if (!response || response->body != "hello") state.SkipWithError("no answer");
    micros.push_back(took.count());
  }
}

void BM_GetOnKeptConnection(benchmark::State& state) {
  Served served;
  boost::asio::io_context context(1);
  const auto url = Url::parse("http://127.0.0.1:" + std::to_string(served.port));
  auto client = Client::make(context.get_executor(), *url, {});
  std::vector<double> micros;
  testing::run(context, get_often(**client, state, micros));
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
}
BENCHMARK(BM_GetOnKeptConnection)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace infiniedge::runtime::http
