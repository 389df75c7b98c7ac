// SPDX-License-Identifier: Apache-2.0
#include "store/views.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "store/value_text.hpp"

namespace infiniedge::store {

/// The columns that a view shows after device, ts, _seq and _q.
struct Views::Shape {
  std::vector<Field> fields;
  bool remote = false;
};

namespace {

const record::GatewayId kHere{};

void append_list(std::string& out, std::string_view item) {
  if (!out.empty()) out += ", ";
  out += item;
}

/// SELECT list that brings rows of `table` into `shape`.
std::string select_list(const TableView& table, const std::vector<Field>& shape, bool remote) {
  std::string list = "device, ts, _seq, _q";
  for (const Field& field : shape) {
    const auto at = table.info.schema->find(field.name);
    const std::string name = sql_name(field.name), type = sql_type(field);
    if (!at) {
      append_list(list, fmt::format("CAST(NULL AS {}) AS {}", type, name));
    } else if (sql_type(table.info.schema->fields[*at]) == type) {
      append_list(list, name);
    } else {
      append_list(list, fmt::format("TRY_CAST({0} AS {1}) AS {0}", name, type));
    }
  }
  if (remote) {
    append_list(list, "_epoch");
    append_list(list, "nullif(split_part(_stream, '@', 2), '') AS _gateway");
  }
  return list;
}

std::string where_stream(const std::vector<const StreamInfo*>& streams) {
  std::string tags;
  for (const StreamInfo* stream : streams) append_list(tags, sql_text(stream_tag(*stream)));
  return fmt::format("_stream IN ({})", tags);
}

bool is_one_of(StreamId id, const std::vector<const StreamInfo*>& streams) {
  return std::any_of(streams.begin(), streams.end(),
                     [&](const StreamInfo* stream) { return stream->id == id; });
}

}  // namespace

void Views::add_memory(const TableView& table, std::vector<ChunkPtr> chunks,
                       const std::vector<const StreamInfo*>& streams, const TimeRange& range,
                       const Shape& shape, std::vector<std::string>& parts) {
  std::erase_if(chunks, [&](const ChunkPtr& chunk) {
    return !range.overlaps(chunk->min_ts, chunk->max_ts) ||
           std::none_of(chunk->runs.begin(), chunk->runs.end(),
                        [&](const Run& run) { return is_one_of(run.stream, streams); });
  });
  if (chunks.empty()) return;
  auto source = std::make_shared<MemSource>();
  source->table = table.info;
  source->chunks = std::move(chunks);
  for (const StreamInfo* stream : streams) source->tags[stream->id] = stream_tag(*stream);
  leases_.emplace_back(connection_.database()->sources(), std::move(source));
  // The smallest BIGINT cannot be written as one literal.
  const std::int64_t from = std::max(range.from, std::numeric_limits<std::int64_t>::min() + 1);
  parts.push_back(fmt::format("SELECT {} FROM ie_mem({}, {}, {})",
                              select_list(table, shape.fields, shape.remote), leases_.back().id(),
                              from, range.to));
}

Result<void> Views::add_table(const TableView& table, const std::vector<const StreamInfo*>& streams,
                              const TimeRange& range, const Shape& shape,
                              std::vector<std::string>& parts) {
  std::string whole, mixed;  // Files with rows of these streams only, and of others too.
  std::vector<ChunkPtr> chunks = table.chunks;
  for (const SegmentPtr& segment : table.segments) {
    const auto ours =
        std::count_if(segment->ranges.begin(), segment->ranges.end(),
                      [&](const SegmentRange& part) { return is_one_of(part.stream, streams); });
    if (ours == 0 || !range.overlaps(segment->min_ts, segment->max_ts)) continue;
    const std::string path = snapshot_->dir + "/" + segment->file;
    if (segment->is_ieb()) {
      if (!loader_) return Error{Code::Unavailable, "no reader for " + segment->file};
      auto loaded = loader_(*segment, path, table.info);
      if (!loaded) return std::move(loaded).error();
      chunks.insert(chunks.end(), loaded->begin(), loaded->end());
    } else if (static_cast<std::size_t>(ours) == segment->ranges.size()) {
      append_list(whole, sql_text(path));
    } else {
      append_list(mixed, sql_text(path));
    }
  }
  const std::string list = select_list(table, shape.fields, shape.remote);
  if (!whole.empty())
    parts.push_back(fmt::format("SELECT {} FROM read_parquet([{}])", list, whole));
  if (!mixed.empty()) {
    parts.push_back(fmt::format("SELECT {} FROM read_parquet([{}]) WHERE {}", list, mixed,
                                where_stream(streams)));
  }
  add_memory(table, std::move(chunks), streams, range, shape, parts);
  return {};
}

Result<void> Views::make_stream(const std::string& name, std::string_view stream,
                                const TimeRange& range) {
  std::vector<const StreamInfo*> streams;
  Shape shape;
  for (const StreamInfo& each : snapshot_->streams) {
    if (each.schema->stream != stream) continue;
    streams.push_back(&each);
    shape.remote = shape.remote || each.origin != kHere;
  }
  // Our own stream comes first: its types win.
  std::sort(streams.begin(), streams.end(), [](const auto* a, const auto* b) {
    return std::pair(a->origin != kHere, a->id) < std::pair(b->origin != kHere, b->id);
  });
  for (const StreamInfo* each : streams) {
    for (const Field& field : each->schema->fields) {
      const bool known = std::any_of(shape.fields.begin(), shape.fields.end(),
                                     [&](const Field& have) { return have.name == field.name; });
      if (!known) shape.fields.push_back(field);
    }
  }
  std::vector<std::string> parts;
  for (const TableView& table : snapshot_->tables) {
    INFINIEDGE_TRY(add_table(table, streams, range, shape, parts));
  }
  if (parts.empty()) {  // No row yet: the shape alone.
    TableView nothing;
    nothing.info.schema = std::make_shared<Schema>();
    parts.push_back(fmt::format(
        "SELECT {} FROM (SELECT CAST(NULL AS VARCHAR) AS device, CAST(NULL AS TIMESTAMP) AS ts, "
        "CAST(NULL AS BIGINT) AS _seq, CAST(NULL AS UTINYINT) AS _q, CAST(NULL AS VARCHAR) AS "
        "_stream, CAST(NULL AS UINTEGER) AS _epoch) WHERE false",
        select_list(nothing, shape.fields, shape.remote)));
  }
  return connection_.execute(
      fmt::format("CREATE TEMP VIEW {} AS {}", sql_name(name), fmt::join(parts, " UNION ALL ")));
}

Result<void> Views::make_system(const std::string& name, const SystemView& view) {
  std::string columns, rows;
  for (std::size_t i = 0; i < view.columns.size(); ++i) {
    append_list(columns, fmt::format("CAST(c{} AS {}) AS {}", i, view.columns[i].second,
                                     sql_name(view.columns[i].first)));
  }
  std::string names;
  for (std::size_t i = 0; i < view.columns.size(); ++i) append_list(names, fmt::format("c{}", i));
  for (const auto& row : view.rows) {
    std::string values;
    for (const auto& value : row) append_list(values, value ? sql_text(*value) : "NULL");
    append_list(rows, "(" + values + ")");
  }
  const bool empty = rows.empty();
  if (empty) {
    std::string nulls;
    for (std::size_t i = 0; i < view.columns.size(); ++i) append_list(nulls, "NULL");
    rows = "(" + nulls + ")";
  }
  return connection_.execute(
      fmt::format("CREATE TEMP VIEW {} AS SELECT {} FROM (VALUES {}) AS t({}){}", sql_name(name),
                  columns, rows, names, empty ? " WHERE false" : ""));
}

namespace {

using Row = std::vector<std::optional<std::string>>;

std::optional<std::string> time_cell(std::int64_t us) {
  return us == 0 ? std::nullopt : std::optional(rfc3339(us));
}

std::optional<std::string> gateway_cell(const record::GatewayId& id) {
  return id == kHere ? std::nullopt : std::optional(gateway_text(id));
}

std::string name_of(const Snapshot& snapshot, StreamId id) {
  const StreamInfo* stream = snapshot.stream(id);
  return stream != nullptr ? stream->schema->stream : fmt::format("{}", id);
}

SystemView streams_view(const Snapshot& snapshot) {
  SystemView view{{{"name", "VARCHAR"},
                   {"id", "UINTEGER"},
                   {"gateway", "VARCHAR"},
                   {"epoch", "UINTEGER"},
                   {"last_seq", "BIGINT"},
                   {"fields", "VARCHAR"},
                   {"version", "INTEGER"},
                   {"lane", "VARCHAR"},
                   {"label", "INTEGER"},
                   {"keep_s", "BIGINT"}},
                  {}};
  for (const StreamInfo& stream : snapshot.streams) {
    std::string fields;
    for (const Field& field : stream.schema->fields) append_list(fields, field.name);
    view.rows.push_back(Row{
        stream.schema->stream, std::to_string(stream.id), gateway_cell(stream.origin),
        std::to_string(stream.epoch), std::to_string(stream.last_seq), fields,
        std::to_string(stream.schema->version), std::string(record::to_string(stream.policy.lane)),
        std::to_string(static_cast<int>(stream.policy.label)),
        std::to_string(stream.policy.keep.count() / 1'000'000)});
  }
  return view;
}

SystemView segments_view(const Snapshot& snapshot) {
  SystemView view{{{"id", "VARCHAR"},
                   {"table_id", "UINTEGER"},
                   {"streams", "VARCHAR"},
                   {"file", "VARCHAR"},
                   {"rows", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"min_ts", "TIMESTAMP"},
                   {"max_ts", "TIMESTAMP"},
                   {"sha256", "VARCHAR"}},
                  {}};
  for (const TableView& table : snapshot.tables) {
    for (const SegmentPtr& segment : table.segments) {
      std::string names;
      for (const SegmentRange& range : segment->ranges) {
        append_list(names, name_of(snapshot, range.stream));
      }
      view.rows.push_back(Row{segment->id, std::to_string(segment->table), names, segment->file,
                              std::to_string(segment->rows), std::to_string(segment->bytes),
                              rfc3339(segment->min_ts), rfc3339(segment->max_ts), segment->sha256});
    }
  }
  return view;
}

SystemView gaps_view(const Snapshot& snapshot) {
  SystemView view{{{"stream", "VARCHAR"},
                   {"epoch", "UINTEGER"},
                   {"from_seq", "BIGINT"},
                   {"to_seq", "BIGINT"},
                   {"from_ts", "TIMESTAMP"},
                   {"to_ts", "TIMESTAMP"},
                   {"rows", "BIGINT"},
                   {"reason", "VARCHAR"},
                   {"replaced_by", "VARCHAR"}},
                  {}};
  for (const record::Gap& gap : snapshot.gaps) {
    view.rows.push_back(
        Row{name_of(snapshot, gap.stream), std::to_string(gap.epoch), std::to_string(gap.from_seq),
            std::to_string(gap.to_seq), time_cell(gap.from_ts), time_cell(gap.to_ts),
            std::to_string(gap.rows), std::string(record::to_string(gap.reason)),
            gap.replaced_by.empty() ? std::nullopt : std::optional(gap.replaced_by)});
  }
  return view;
}

}  // namespace

std::optional<SystemView> snapshot_view(const Snapshot& snapshot, std::string_view name) {
  if (name == "streams") return streams_view(snapshot);
  if (name == "segments") return segments_view(snapshot);
  if (name == "gaps") return gaps_view(snapshot);
  return std::nullopt;
}

}  // namespace infiniedge::store
