// SPDX-License-Identifier: Apache-2.0
// The half of Retention that acts: drops files, computes rollups.
#include <fmt/format.h>

#include <set>

#include "runtime/log.hpp"
#include "store/batch_reader.hpp"
#include "store/retention.hpp"
#include "store/store.hpp"

namespace infiniedge::store {
namespace {

bool is_number(const Field& field) {
  return field.type == Type::Int || field.type == Type::Decimal || field.type == Type::Float;
}

/// Fields of `<stream>__1m`: the count, and min, max, sum, first and last of each number.
SchemaPtr rollup_schema(const StreamInfo& stream, const TableInfo& table) {
  auto schema = std::make_shared<Schema>();
  schema->stream = stream.schema->stream + "__1m";
  schema->label = table.label;
  schema->fields.push_back({.name = "_count", .type = Type::Int});
  for (const Field& field : table.schema->fields) {
    if (!is_number(field)) continue;
    for (const char* what : {"min", "max", "sum", "first", "last"}) {
      Field part = field;
      part.id = 0;
      part.name = fmt::format("{}_{}", field.name, what);
      if (std::string_view(what) == "sum") {  // May need more digits than the values.
        part.type = Type::Float;
        part.resolution.reset();
        part.min.reset();
        part.max.reset();
      }
      schema->fields.push_back(std::move(part));
    }
  }
  return schema;
}

std::string rollup_select(const StreamInfo& stream, const TableInfo& table,
                          const std::string& path) {
  std::string columns = "count(*) AS _count";
  for (const Field& field : table.schema->fields) {
    if (!is_number(field)) continue;
    const std::string name = sql_name(field.name), type = sql_type(field);
    columns += fmt::format(
        ", CAST(min({0}) AS {1}), CAST(max({0}) AS {1}), CAST(sum({0}) AS DOUBLE), "
        "CAST(arg_min({0}, ts) AS {1}), CAST(arg_max({0}, ts) AS {1})",
        name, type);
  }
  return fmt::format(
      "SELECT device, time_bucket(INTERVAL '1 minute', ts) AS minute, CAST(0 AS BIGINT), "
      "CAST(max(_q) AS UTINYINT), {} FROM read_parquet({}) WHERE _stream = {} GROUP BY 1, 2 "
      "ORDER BY 1, 2",
      columns, sql_text(path), sql_text(stream_tag(stream)));
}

Result<Batch> compute(DuckDb& duckdb, const std::string& sql, const SchemaPtr& schema) {
  auto database = duckdb.database();
  if (!database) return std::move(database).error();
  auto connection = DuckConnection::open(*database);
  if (!connection) return std::move(connection).error();
  auto rows = read_batch(*connection, sql, schema, schema->label);
  if (rows) rows->seq.clear();
  return rows;
}

}  // namespace

Retention::Retention(Environment environment) : environment_(environment) {
  if (environment_.metrics == nullptr) return;
  evicted_ = &environment_.metrics->counter("infiniedge_store_evicted_segments_total",
                                            "Segments dropped.");
  lost_rows_ = &environment_.metrics->counter("infiniedge_store_gap_rows_total",
                                              "Rows lost before every uplink had them.");
}

/// Stores the rollups of a segment's streams and names them in its gaps.
Task<Result<void>> Retention::downsample(Eviction& eviction) {
  Store& store = *environment_.store;
  const SnapshotPtr snapshot = store.snapshot();
  const TableView* table = snapshot->table(eviction.segment->table);
  if (table == nullptr || environment_.duckdb == nullptr || eviction.segment->is_ieb()) {
    co_return Error{Code::Unavailable, "no rollup without DuckDB"};
  }
  const std::string path = snapshot->dir + "/" + eviction.segment->file;
  std::set<StreamId> done;  // A stream may have a gap in each of several epochs.
  for (record::Gap& gap : eviction.gaps) {
    const StreamInfo* stream = snapshot->stream(gap.stream);
    if (stream == nullptr) continue;
    gap.replaced_by = stream->schema->stream + "__1m";
    if (!done.insert(gap.stream).second) continue;
    const SchemaPtr schema = rollup_schema(*stream, table->info);
    const std::string sql = rollup_select(*stream, table->info, path);
    DuckDb& duckdb = *environment_.duckdb;
    const auto job = [&duckdb, sql, schema] { return compute(duckdb, sql, schema); };
    auto rows = co_await runtime::run_on(*environment_.workers, job);
    if (!rows) co_return std::move(rows).error();
    auto policy = stream->policy;
    policy.keep = Micros{0};
    INFINIEDGE_CO_TRY(co_await store.declare(schema, std::move(policy)));
    if (rows->rows() > 0) INFINIEDGE_CO_TRY(co_await store.append(std::move(*rows)));
  }
  co_return Result<void>{};
}

Task<Result<void>> Retention::evict(Eviction eviction) {
  if (eviction.why == Evict::Downsample) {
    if (auto done = co_await downsample(eviction); !done) {
      runtime::log(runtime::Level::Warning, "store", "rollup failed; the rows are lost without one",
                   {{"error", done.error().describe()}});
      for (record::Gap& gap : eviction.gaps) gap.reason = record::GapReason::Evicted;
    }
  }
  std::uint64_t rows = 0;
  for (const record::Gap& gap : eviction.gaps) rows += gap.rows;
  std::vector<SegmentPtr> segments{std::move(eviction.segment)};
  INFINIEDGE_CO_TRY(
      co_await environment_.store->drop_segments(std::move(segments), std::move(eviction.gaps)));
  if (evicted_ != nullptr) {
    evicted_->add();
    lost_rows_->add(rows);
  }
  co_return Result<void>{};
}

Task<Result<void>> Retention::pass() {
  Store& store = *environment_.store;
  SnapshotPtr snapshot = store.snapshot();
  RetentionInput input{.snapshot = snapshot.get(),
                       .now = environment_.clock->wall(),
                       .limit = store.usage().limit,
                       .cursor = [&store](std::string_view peer, StreamId stream) {
                         return store.cursor(peer, stream);
                       }};
  RetentionPlan plan = plan_retention(input);
  snapshot.reset();  // While it lives no file is unlinked.
  for (Eviction& eviction : plan.evictions) {
    INFINIEDGE_CO_TRY(co_await evict(std::move(eviction)));
  }
  store.refuse(plan.refuse);
  co_return Result<void>{};
}

Task<void> Retention::run() {
  for (;;) {
    if (auto done = co_await pass(); !done) {
      runtime::log(runtime::Level::Warning, "store", "retention failed",
                   {{"error", done.error().describe()}});
    }
    if (auto slept = co_await environment_.clock->sleep_for(std::chrono::minutes{1}); !slept) {
      co_return;
    }
  }
}

}  // namespace infiniedge::store
