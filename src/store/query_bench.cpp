// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "runtime/clock.hpp"
#include "runtime/testing/run.hpp"
#include "store/query.hpp"
#include "store/testing/g1.hpp"
#include "store/testing/shelf.hpp"

// Q1 and Q2 over G1: ours (Parquet segments behind the guard) beside DuckDB over its own file,
// the same library, the same rows. INFINIEDGE_BENCH_ROWS changes the 10 million.
namespace infiniedge::store {
namespace {

namespace fs = std::filesystem;
using testing::G1;

constexpr char kLibrary[] = INFINIEDGE_DEPS_DIR "/duckdb/libduckdb.so";
constexpr std::size_t kSegment = 1'000'000;
constexpr char kQ1[] =
    "SELECT device, time_bucket(INTERVAL '1 hour', ts) AS h, avg(v0), min(v0), max(v0), sum(v0), "
    "count(*) FROM g1 GROUP BY ALL";
constexpr char kQ2[] =
    "SELECT ts, v0 FROM g1 WHERE device = 'device-42' AND ts >= TIMESTAMP '2026-01-01 10:00:00' "
    "AND "
    "ts < TIMESTAMP '2026-01-01 11:00:00'";

std::size_t rows_wanted() {
  const char* text = std::getenv("INFINIEDGE_BENCH_ROWS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 10'000'000;
}

struct World {
  fs::path dir = fs::temp_directory_path() / ("query_bench." + std::to_string(getpid()));
  DuckDb duckdb{DuckDatabase::Options{.dir = dir.string()}, kLibrary};
  testing::Shelf shelf{dir.string()};
  boost::asio::io_context context;
  runtime::Workers workers{"query", 2, 18};
  runtime::SystemClock clock;
  SnapshotPtr snapshot;
  std::unique_ptr<Query> query;
  double bytes_per_row = 0;
  const duck::Api* api = nullptr;
  duck::Database file = nullptr;
  duck::Connection connection = nullptr;

  World() {
    ParquetSealer sealer(duckdb);
    const SchemaPtr schema = G1::schema();
    const auto stream = shelf.add_stream(schema);
    G1 generator;
    std::uint64_t bytes = 0;
    for (std::size_t done = 0; done < rows_wanted(); done += kSegment) {
      auto segment = shelf.seal(sealer, stream, generator.next(schema, kSegment));
      if (!segment) std::fprintf(stderr, "%s\n", segment.error().describe().c_str());
      bytes += (*segment)->bytes;
    }
    bytes_per_row = static_cast<double>(bytes) / static_cast<double>(rows_wanted());
    snapshot = shelf.snapshot();
    query = std::make_unique<Query>(Query::Environment{.executor = context.get_executor(),
                                                       .duckdb = &duckdb,
                                                       .workers = &workers,
                                                       .clock = &clock,
                                                       .snapshot = [this] { return snapshot; }});
    open_peer();
  }
  ~World() {
    workers.join();
    api->disconnect(&connection);
    api->close(&file);
    fs::remove_all(dir);
  }

  void open_peer() {
    const std::string library[] = {kLibrary};
    api = *duck::load(library);
    duck::Config config = nullptr;
    api->create_config(&config);
    api->set_config(config, "threads", "2");
    char* error = nullptr;
    api->open_ext((dir / "peer.duckdb").c_str(), &file, config, &error);
    api->destroy_config(&config);
    api->connect(file, &connection);
    std::string files;
    for (const auto& segment : snapshot->tables[0].segments) {
      files += (files.empty() ? "" : ",") + sql_text(shelf.path(*segment));
    }
    // Arrival order, as its appender would leave them.
    peer("CREATE TABLE g1 AS SELECT device, ts, _seq, _q, v0, v1, v2, v3, v4 FROM read_parquet([" +
         files + "]) ORDER BY _seq");
    peer("CHECKPOINT");
  }
  std::uint64_t peer(const std::string& sql) const {
    duck::RawResult raw;
    std::uint64_t rows = 0;
    if (api->query(connection, sql.c_str(), &raw) != duck::kSuccess) {
      std::fprintf(stderr, "%s\n", api->result_error(&raw));
    }
    while (duck::Chunk chunk = api->fetch_chunk(raw)) {
      rows += api->data_chunk_get_size(chunk);
      api->destroy_data_chunk(&chunk);
    }
    api->destroy_result(&raw);
    return rows;
  }
  std::uint64_t ours(const char* sql) {
    QueryRequest request{.sql = sql};
    auto result = runtime::testing::run(context, query->run(std::move(request)));
    if (!result) std::fprintf(stderr, "%s\n", result.error().describe().c_str());
    return result ? result->rows : 0;
  }
};

World& world() {
  static World instance;
  return instance;
}

void ours(benchmark::State& state, const char* sql) {
  World& w = world();
  std::uint64_t rows = 0;
  for (auto _ : state) rows = w.ours(sql);
  state.counters["rows"] = static_cast<double>(rows);
  state.counters["parquet_bytes_per_row"] = w.bytes_per_row;
}

void peer(benchmark::State& state, const char* sql) {
  World& w = world();
  std::uint64_t rows = 0;
  for (auto _ : state) rows = w.peer(sql);
  state.counters["rows"] = static_cast<double>(rows);
}

BENCHMARK_CAPTURE(ours, Q1, kQ1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(peer, Q1, kQ1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ours, Constant, "SELECT 1")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ours, Q2, kQ2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(peer, Q2, kQ2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace infiniedge::store
