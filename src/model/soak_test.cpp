// SPDX-License-Identifier: Apache-2.0
// Many loads: what leaks shows, and no request is lost.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fstream>

#include "model/testing/bench_server.hpp"
#include "runtime/clock.hpp"
#include "runtime/shard.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using testing::floats_of;
using testing::TempRepository;
using testing::tensor_of;

InferRequest row() {
  InferRequest request{.model = "m"};
  request.inputs.push_back(tensor_of<float>("x", DataType::Fp32, {1, 2}, {1, 2}));
  return request;
}

double resident_mib() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

TEST(Soak, AThousandLoadsAndUnloadsLeakNothing) {
  TempRepository repository;
  repository.add("m", "linear");
  Bench bench(repository.root());
  double at_hundred = 0;
  for (int cycle = 1; cycle <= 1000; ++cycle) {
    ASSERT_TRUE(bench.run(bench.server.load("m")));
    auto response = bench.run(bench.server.infer(row()));
    ASSERT_TRUE(response.has_value()) << response.error().describe();
    ASSERT_TRUE(bench.run(bench.server.unload("m")));
    bench.clock.advance(Seconds{1});  // What waits for its time must end too.
    if (cycle == 100) at_hundred = resident_mib();
  }
  const auto at_thousand = resident_mib();
  std::printf("RSS %.2f MiB at cycle 100, %.2f MiB at cycle 1000 (%.4f)\n", at_hundred, at_thousand,
              at_thousand / at_hundred);
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
  EXPECT_LE(at_thousand, at_hundred * 1.02);
#endif
  EXPECT_EQ(bench.server.memory().used(), 0U);
}

/// Requests leave at fixed times, whether or not the earlier ones have returned.
struct OpenLoop {
  Server& server;
  Clock& clock;
  int sent = 0, answered = 0, failed = 0;
  bool over = false;
  std::string error{};

  static Task<void> one(OpenLoop* self) {
    auto response = co_await self->server.infer(row());
    const bool good = response && floats_of(response->outputs[0])[0] == 8.0F;
    ++(good ? self->answered : self->failed);
    if (!response) self->error = response.error().describe();
  }
  static Task<void> run(OpenLoop* self, runtime::Scope* scope) {
    auto next = self->clock.now();
    while (!self->over) {
      scope->spawn(one(self));
      ++self->sent;
      next += Millis{1};
      if (!co_await self->clock.sleep_until(next)) co_return;
    }
  }
};

Task<int> swap_often(Server& server, TempRepository& repository, OpenLoop& loop, Clock& clock) {
  int loaded = 0;
  for (int version = 2; version <= 21; ++version) {
    repository.add("m", "linear", version);
    loaded += (co_await server.load("m")).has_value() ? 1 : 0;
    (void)co_await clock.sleep_for(Millis{20});
  }
  loop.over = true;
  co_return loaded;
}

TEST(Soak, SwappingUnderAnOpenLoopFailsNoRequest) {
  TempRepository repository;
  repository.add("m", "linear");
  boost::asio::io_context context{1};
  runtime::SystemClock clock;
  runtime::Workers workers{"compute", 1};
  runtime::Metrics metrics;
  onnx::Backend backend;
  Server server(context.get_executor(), clock, workers, metrics, {.repository = repository.root()});
  server.add(backend);
  const auto finish = [&](auto task) { return runtime::testing::run(context, std::move(task)); };
  ASSERT_TRUE(finish(server.load("m")));
  runtime::Scope scope(context.get_executor());
  OpenLoop loop{server, clock};
  scope.spawn(OpenLoop::run(&loop, &scope));
  EXPECT_EQ(finish(swap_often(server, repository, loop, clock)), 20);
  while (scope.size() > 0) {
    context.restart();
    context.run_one();
  }
  std::printf("%d requests over 20 swaps, %d failed\n", loop.sent, loop.failed);
  EXPECT_GT(loop.sent, 200);
  EXPECT_EQ(loop.answered, loop.sent);
  EXPECT_EQ(loop.failed, 0) << loop.error;
  EXPECT_EQ((*server.find("m"))->version(), 21);
  finish(scope.close());
  finish(server.close());
}

}  // namespace
}  // namespace infiniedge::model
