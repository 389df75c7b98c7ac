// SPDX-License-Identifier: Apache-2.0
// Rows per second through rules on one thread, compute only: batches are made beforehand.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <random>

#include "runtime/testing/sim_clock.hpp"
#include "stream/engine.hpp"
#include "stream/parser.hpp"
#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

using Batches = std::vector<std::shared_ptr<const Batch>>;

/// 100 devices round-robin, `rate` rows a second each; `load` is N(0, 1).
Batches make_batches(std::size_t batches, std::size_t rows, double rate = 1) {
  std::mt19937 random(42);
  std::normal_distribution<double> value;
  const auto schema = testing::machine();
  Batches out;
  std::size_t n = 0;
  for (std::size_t b = 0; b < batches; ++b) {
    std::vector<testing::Row> part;
    for (std::size_t i = 0; i < rows; ++i, ++n) {
      part.push_back({fmt::format("d{}", n % 100),
                      static_cast<double>(n) * 0.01 / rate,
                      {20 + value(random), value(random), static_cast<std::int64_t>(n)}});
    }
    out.push_back(std::make_shared<const Batch>(testing::make_batch(schema, part)));
  }
  return out;
}

/// The same rows again, later: windows must go on closing however long a benchmark runs.
void shift(Batches& batches, Micros by) {
  for (auto& batch : batches) {
    auto later = std::const_pointer_cast<Batch>(batch);
    for (auto& ts : later->ts) ts += by.count();
  }
}

class World {
 public:
  World() : schemas_({testing::machine()}), engine_(make()) {}
  void put(const std::string& name, const std::string& sql) {
    if (!engine_->put({.name = name, .sql = sql, .lateness = Seconds{1}})) std::abort();
  }
  void push(const std::shared_ptr<const Batch>& batch) {
    clock_.advance(from_us(batch->ts.back()) - clock_.wall());
    engine_->push(batch);
  }
  std::uint64_t rows_out() const { return rows_out_; }

 private:
  std::unique_ptr<Engine> make() {
    return std::make_unique<Engine>(context_.get_executor(), clock_, schemas_, nullptr,
                                    [this](const std::string&, Batch b) { rows_out_ += b.rows(); });
  }
  boost::asio::io_context context_;
  runtime::testing::SimClock clock_;
  testing::Schemas schemas_;
  std::uint64_t rows_out_ = 0;
  std::unique_ptr<Engine> engine_;
};

void run(benchmark::State& state, World& world, Batches batches) {
  std::size_t next = 0, rows = 0;
  const auto span = Micros{batches.back()->ts.back() - batches.front()->ts.front() + 10'000};
  for (auto _ : state) {
    if (next == batches.size()) {
      state.PauseTiming();
      shift(batches, span);
      next = 0;
      state.ResumeTiming();
    }
    rows += batches[next]->rows();
    world.push(batches[next++]);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  state.counters["rss_mib"] = static_cast<double>(resident) * 4096 / (1 << 20);
  state.counters["rows_out"] = static_cast<double>(world.rows_out());
}

/// One TUMBLE(1s) average by device; the arguments are rows a batch, and rows a second of each
/// device: with one, every row is a window of its own.
void TumblingAverage(benchmark::State& state) {
  World world;
  world.put("r", "SELECT avg(load) AS a FROM machine GROUP BY device, TUMBLE(1s)");
  const auto rows = static_cast<std::size_t>(state.range(0));
  run(state, world, make_batches(200'000 / rows, rows, static_cast<double>(state.range(1))));
}
BENCHMARK(TumblingAverage)->ArgsProduct({{1, 100, 1'000, 8'192}, {1, 10}});

/// `n` rules, each a threshold on N(0, 1). From 4.5 on none is passed: the cost of looking. From
/// 3.5 on they are passed: 4,000 of them give about 58 results in 1,000 rows.
void Thresholds(benchmark::State& state, double first) {
  World world;
  const auto n = state.range(0);
  for (std::int64_t i = 0; i < n; ++i) {
    world.put(fmt::format("r{}", i), fmt::format("SELECT load FROM machine WHERE load > {:.3f}",
                                                 first + static_cast<double>(i) * 0.001));
  }
  run(state, world, make_batches(200, 1'000));
}
BENCHMARK_CAPTURE(Thresholds, never_passed, 4.5)->Arg(1)->Arg(4'000);
BENCHMARK_CAPTURE(Thresholds, passed, 3.5)->Arg(1)->Arg(4'000);

void Parsing(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        parse("SELECT avg(vib_rms) AS vib, max(bearing_temp) AS temp, model('bearing', "
              "avg(vib_rms), max(kurtosis), max(bearing_temp)) AS state FROM pump_7 "
              "WHERE vib_rms > 0.1 GROUP BY device, TUMBLE(10s)"));
  }
}
BENCHMARK(Parsing);

}  // namespace
}  // namespace infiniedge::stream
