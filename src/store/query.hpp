// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"
#include "runtime/workers.hpp"
#include "store/duckdb_session.hpp"
#include "store/result_writer.hpp"
#include "store/snapshot.hpp"
#include "store/views.hpp"

namespace infiniedge::store {

struct QueryRequest {
  std::string sql;
  std::vector<QueryParam> params{};
  std::uint64_t max_rows = 100'000;
  Micros timeout{Seconds{30}};
  std::string read_after{};  ///< "stream:epoch:seq" of an Appended: wait until it is visible.
  ResultFormat format = ResultFormat::Json;
  /// Whether the caller may see these streams together (the gate); an error ends the query with
  /// it. Called on the shard; empty: everything is permitted.
  std::function<Result<void>(const std::vector<StreamInfo>&)> permit{};
};

struct QueryResult {
  std::vector<QueryColumn> columns;
  std::string body;  ///< Complete, in the format asked for.
  std::uint64_t rows = 0;
  bool truncated = false;  ///< By max_rows, or by Environment::max_bytes.
  Micros elapsed{0};
};

/// Read-only SQL over everything durable: sealed files and memory, as of one snapshot.
///
/// Flow:    store -> [Query] -> api, console, agent
/// Thread:  its shard; parsing and running on `workers`.
/// Owner:   app. Everything in Environment outlives it, and it outlives every run().
/// Errors:  Invalid (with diagnostics), Denied, Timeout, Cancelled, Exhausted (18 queries are under
///          way, or memory), Unavailable (library missing: says how to install it).
class Query {
 public:
  struct Environment {
    boost::asio::any_io_executor executor;  ///< Of the shard.
    DuckDb* duckdb = nullptr;
    runtime::Workers* workers = nullptr;  ///< Two threads: two queries run, others wait.
    Clock* clock = nullptr;
    std::function<SnapshotPtr()> snapshot;  ///< Store::snapshot(); on the shard.
    /// Views beside streams, segments and gaps ("rules", "lanes"), made when asked for; on the
    /// shard. `system_names` are all that `system_view` knows.
    std::vector<std::string> system_names{};
    std::function<std::optional<SystemView>(std::string_view)> system_view{};
    ChunkLoader load_ieb{};                         ///< On a worker.
    std::size_t max_bytes = std::size_t{32} << 20;  ///< Of a result's text.
  };
  static constexpr std::size_t kRunning = 2, kQueued = 16;

  explicit Query(Environment environment);
  ~Query();

  /// Runs one SELECT. What is wrong with the text also goes to `diagnostics`, which outlives the
  /// call. When the caller is cancelled the statement is interrupted.
  Task<Result<QueryResult>> run(QueryRequest request, base::Diagnostics* diagnostics = nullptr);

 private:
  struct Job;
  struct Watchdog;
  class Admission;
  Task<Result<void>> wait_visible(std::string read_after, Instant deadline);
  Task<Result<QueryResult>> run_job(std::shared_ptr<Job> job, std::shared_ptr<Watchdog> watchdog);
  std::vector<std::string> names(const Snapshot& snapshot) const;
  Result<void> admit(Job& job);

  Environment environment_;
  std::size_t active_ = 0;
};

}  // namespace infiniedge::store
