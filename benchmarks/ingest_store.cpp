// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "ingest.hpp"
#include "runtime/clock.hpp"
#include "runtime/testing/run.hpp"
#include "store/duckdb_session.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"

namespace infiniedge::benchmarks {
namespace {

using Steady = std::chrono::steady_clock;

double since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().describe().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The store as a node wires it: one disk worker, one compute worker, Parquet by DuckDB.
class World {
 public:
  explicit World(const Work& work)
      : work_(work), duckdb_(store::DuckDb::options_for(work.dir)), sealer_(duckdb_) {
    store::Store::Environment environment{.executor = context_.get_executor(),
                                          .disk = disk_.get(),
                                          .clock = &clock_,
                                          .entropy = &entropy_,
                                          .metrics = &metrics_,
                                          .disk_worker = &disk_worker_,
                                          .compute = &compute_,
                                          .sealer = &sealer_};
    store::Store::Options options;
    options.dir = work.dir;
    store_ = must(runtime::testing::run(
        context_, store::Store::open(std::move(environment), std::move(options))));
    (void)must(runtime::testing::run(
        context_, store_->declare(work.commits.front().schema, record::StreamPolicy{})));
  }
  ~World() {
    disk_worker_.join();
    compute_.join();
  }

  Leg run() {
    drain(1, work_.warm_up);
    leg_.commit_ms.clear();
    next_ = work_.warm_up;
    const auto before = disk_bytes_written(work_.dir);
    const auto start = Steady::now();
    drain(work_.producers, work_.commits.size());
    leg_.seconds = since(start);
    must(runtime::testing::run(context_, store_->seal()));
    runtime::testing::run(context_, store_->close());
    leg_.total_seconds = since(start);
    leg_.disk_bytes = disk_bytes_written(work_.dir) - before;
    return std::move(leg_);
  }

 private:
  void drain(int producers, std::size_t end) {
    running_ = producers;
    end_ = end;
    deadline_ = Steady::now() + work_.longest;
    for (int i = 0; i < producers; ++i) {
      boost::asio::co_spawn(context_, produce(), boost::asio::detached);
    }
    context_.restart();
    context_.run();
  }

  Task<void> produce() {
    while (next_ < end_ && Steady::now() < deadline_) {
      Batch batch = work_.commits[next_++];
      const auto start = Steady::now();
      auto appended = co_await store_->append(std::move(batch));
      (void)must(std::move(appended));
      leg_.commit_ms.push_back(since(start) * 1e3);
    }
    if (--running_ == 0) context_.stop();
  }

  const Work& work_;
  boost::asio::io_context context_{1};
  std::unique_ptr<runtime::Disk> disk_ = runtime::make_posix_disk();
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Metrics metrics_;
  runtime::Workers disk_worker_{"disk", 1};
  runtime::Workers compute_{"compute", 1};
  store::DuckDb duckdb_;
  store::ParquetSealer sealer_;
  std::unique_ptr<store::Store> store_;
  Leg leg_;
  std::size_t next_ = 0, end_ = 0;
  Steady::time_point deadline_;
  int running_ = 0;
};

}  // namespace

Leg ingest_store(const Work& work) { return World(work).run(); }

}  // namespace infiniedge::benchmarks
