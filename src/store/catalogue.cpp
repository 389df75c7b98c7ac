// SPDX-License-Identifier: Apache-2.0
#include "store/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "record/schema_codec.hpp"
#include "store/sqlite.hpp"

namespace infiniedge::store {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream(id INTEGER PRIMARY KEY, name TEXT NOT NULL, table_id INTEGER
  NOT NULL, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL, definition BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS schema_version(stream INTEGER NOT NULL, version INTEGER NOT NULL,
  definition BLOB NOT NULL, PRIMARY KEY(stream, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS table_shape(id INTEGER PRIMARY KEY, sealed_lsn INTEGER NOT NULL
  DEFAULT 0, definition BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS label(id INTEGER PRIMARY KEY, definition BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS device(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segment(id TEXT PRIMARY KEY, table_id INTEGER NOT NULL, file TEXT NOT
  NULL, rows INTEGER NOT NULL, min_ts INTEGER NOT NULL, max_ts INTEGER NOT NULL, bytes INTEGER NOT
  NULL, sha256 TEXT NOT NULL, set_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment_range(segment TEXT NOT NULL REFERENCES segment(id) ON DELETE
  CASCADE, stream INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq
  INTEGER NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY(segment, stream, epoch, from_seq))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap(stream INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER
  NOT NULL, to_seq INTEGER NOT NULL, definition BLOB NOT NULL,
  PRIMARY KEY(stream, epoch, from_seq, to_seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor(peer TEXT NOT NULL, stream INTEGER NOT NULL, epoch INTEGER NOT
  NULL, hwm INTEGER NOT NULL, PRIMARY KEY(peer, stream)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cover(stream INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER
  NOT NULL, to_seq INTEGER NOT NULL, PRIMARY KEY(stream, epoch, from_seq)) WITHOUT ROWID;
)sql";

/// Raised by a change of the tables above that older programs cannot read.
constexpr std::int64_t kVersion = 1;

// A table's schema has no stream; its definition still needs a name to be whole.
constexpr std::string_view kTableName = "table";

std::string definition_of(const StreamInfo& stream) {
  return record::encode_definition(record::StreamDefinition{
      .id = stream.id, .origin = stream.origin, .schema = *stream.schema, .policy = stream.policy});
}

std::string definition_of(const TableInfo& table) {
  record::StreamDefinition definition{.id = table.id, .schema = *table.schema};
  definition.schema.stream = kTableName;
  definition.policy = {.lane = table.lane, .keep = table.keep, .label = table.label};
  return record::encode_definition(definition);
}

Result<record::StreamDefinition> stream_definition(const std::string& bytes) {
  auto definition = record::decode_definition(base::as_bytes(bytes));
  if (!definition) return std::move(definition).error();
  auto* stream = std::get_if<record::StreamDefinition>(&*definition);
  if (stream == nullptr) return Error{Code::Corrupt, "not the definition of a stream"};
  return std::move(*stream);
}

class SqliteCatalogue final : public Catalogue {
 public:
  explicit SqliteCatalogue(Sqlite db) : db_(std::move(db)) {}

  Result<CatalogueState> load() override {
    CatalogueState state;
    auto loaded = load_into(state);
    if (!loaded) {
      return Error{
          loaded.error().code(),
          "the catalogue cannot be read; if it stays so, restore catalogue.db from a backup",
          std::move(loaded).error()};
    }
    return state;
  }

  Result<void> apply(const CatalogueChange& change) override {
    INFINIEDGE_TRY(db_.execute("BEGIN IMMEDIATE"));
    auto applied = write(change);
    if (applied) applied = db_.execute("COMMIT");
    if (!applied) static_cast<void>(db_.execute("ROLLBACK"));
    return applied;
  }

 private:
  /// Calls row(statement) for each row of a query.
  template <class Row>
  Result<void> each(std::string_view sql, Row row) {
    auto statement = db_.prepare(sql);
    if (!statement) return std::move(statement).error();
    while (true) {
      auto more = statement->next();
      if (!more) return std::move(more).error();
      if (!*more) return {};
      INFINIEDGE_TRY(row(*statement));
    }
  }

  Result<void> load_into(CatalogueState& state) {
    INFINIEDGE_TRY(load_meta(state));
    INFINIEDGE_TRY(load_streams(state));
    INFINIEDGE_TRY(load_tables(state));
    INFINIEDGE_TRY(load_segments(state));
    INFINIEDGE_TRY(each("SELECT id, name FROM device", [&](const SqliteStatement& row) {
      state.devices[row.u32(0)] = row.text(1);
      return Result<void>{};
    }));
    INFINIEDGE_TRY(each("SELECT definition FROM gap", [&](const SqliteStatement& row) {
      const std::string bytes = row.blob(0);
      auto gap = record::decode_gap(base::as_bytes(bytes));
      if (!gap) return Result<void>(std::move(gap).error());
      state.gaps.push_back(std::move(*gap));
      return Result<void>{};
    }));
    INFINIEDGE_TRY(
        each("SELECT peer, stream, epoch, hwm FROM cursor", [&](const SqliteStatement& row) {
          state.cursors.push_back({row.text(0), row.u32(1), row.u32(2), row.u64(3)});
          return Result<void>{};
        }));
    return each("SELECT stream, epoch, from_seq, to_seq FROM cover ORDER BY 1, 2, 3",
                [&](const SqliteStatement& row) {
                  state.covers.push_back({row.u32(0), row.u32(1), row.u64(2), row.u64(3)});
                  return Result<void>{};
                });
  }

  Result<void> load_meta(CatalogueState& state) {
    return each("SELECT key, value FROM meta", [&](const SqliteStatement& row) {
      const std::string key = row.text(0);
      if (key == "gateway") {
        const std::string id = row.blob(1);
        if (id.size() != state.gateway.size()) {
          return Result<void>(Error{Code::Corrupt, "the gateway id is not 16 bytes long"});
        }
        std::memcpy(state.gateway.data(), id.data(), id.size());
      } else if (key == "epoch") {
        state.epoch = row.u32(1);
      } else if (key == "durable_lsn") {
        state.durable_lsn = row.u64(1);
      }
      return Result<void>{};
    });
  }

  Result<void> load_streams(CatalogueState& state) {
    INFINIEDGE_TRY(each("SELECT table_id, epoch, last_seq, definition FROM stream ORDER BY id",
                        [&](const SqliteStatement& row) {
                          auto stream = stream_definition(row.blob(3));
                          if (!stream) return Result<void>(std::move(stream).error());
                          state.streams.push_back(
                              {.id = stream->id,
                               .origin = stream->origin,
                               .schema = std::make_shared<const Schema>(std::move(stream->schema)),
                               .policy = std::move(stream->policy),
                               .table = row.u32(0),
                               .epoch = row.u32(1),
                               .last_seq = row.u64(2)});
                          return Result<void>{};
                        }));
    return each("SELECT definition FROM schema_version", [&](const SqliteStatement& row) {
      auto stream = stream_definition(row.blob(0));
      if (!stream) return Result<void>(std::move(stream).error());
      state.schemas.emplace_back(stream->id,
                                 std::make_shared<const Schema>(std::move(stream->schema)));
      return Result<void>{};
    });
  }

  Result<void> load_tables(CatalogueState& state) {
    return each("SELECT sealed_lsn, definition FROM table_shape", [&](const SqliteStatement& row) {
      auto table = stream_definition(row.blob(1));
      if (!table) return Result<void>(std::move(table).error());
      table->schema.stream.clear();
      state.sealed_lsn[table->id] = row.u64(0);
      state.tables.push_back({.id = table->id,
                              .schema = std::make_shared<const Schema>(std::move(table->schema)),
                              .label = table->policy.label,
                              .lane = table->policy.lane,
                              .keep = table->policy.keep});
      return Result<void>{};
    });
  }

  Result<void> load_segments(CatalogueState& state) {
    std::map<std::string, std::vector<SegmentRange>> ranges;
    INFINIEDGE_TRY(each("SELECT segment, stream, epoch, from_seq, to_seq, rows FROM segment_range",
                        [&](const SqliteStatement& row) {
                          ranges[row.text(0)].push_back(
                              {row.u32(1), row.u32(2), row.u64(3), row.u64(4), row.u64(5)});
                          return Result<void>{};
                        }));
    return each(
        "SELECT id, table_id, file, rows, min_ts, max_ts, bytes, sha256, set_id FROM "
        "segment ORDER BY id",
        [&](const SqliteStatement& row) {
          Segment segment{.id = row.text(0),
                          .table = row.u32(1),
                          .file = row.text(2),
                          .rows = row.u64(3),
                          .bytes = row.u64(6),
                          .min_ts = row.integer(4),
                          .max_ts = row.integer(5),
                          .sha256 = row.text(7),
                          .set_id = row.text(8)};
          segment.ranges = std::move(ranges[segment.id]);
          state.segments.push_back(std::make_shared<const Segment>(std::move(segment)));
          return Result<void>{};
        });
  }

  Result<void> write(const CatalogueChange& change) {
    INFINIEDGE_TRY(write_meta(change));
    for (const StreamInfo& stream : change.streams) INFINIEDGE_TRY(write_stream(stream));
    for (const TableInfo& table : change.tables) {
      INFINIEDGE_TRY(
          run("INSERT INTO table_shape(id, definition) VALUES(?, ?) ON CONFLICT(id) DO "
              "UPDATE SET definition = excluded.definition",
              table.id, base::as_bytes(definition_of(table))));
    }
    for (const auto& [id, name] : change.devices) {
      INFINIEDGE_TRY(run("INSERT OR REPLACE INTO device VALUES(?, ?)", id, std::string_view(name)));
    }
    for (const std::string& id : change.drop_segments) {
      INFINIEDGE_TRY(run("DELETE FROM segment WHERE id = ?", std::string_view(id)));
    }
    for (const SegmentPtr& segment : change.add_segments) INFINIEDGE_TRY(write_segment(*segment));
    for (const auto& [table, lsn] : change.sealed_lsn) {
      INFINIEDGE_TRY(run("UPDATE table_shape SET sealed_lsn = ? WHERE id = ?", lsn, table));
    }
    return write_progress(change);
  }

  Result<void> write_meta(const CatalogueChange& change) {
    constexpr std::string_view kSet = "INSERT OR REPLACE INTO meta VALUES(?, ?)";
    if (change.gateway != record::GatewayId{}) {
      INFINIEDGE_TRY(run(kSet, std::string_view("gateway"), base::ByteView(change.gateway)));
    }
    if (change.epoch != 0) INFINIEDGE_TRY(run(kSet, std::string_view("epoch"), change.epoch));
    if (change.durable_lsn != 0) {
      INFINIEDGE_TRY(run(kSet, std::string_view("durable_lsn"), change.durable_lsn));
    }
    return {};
  }

  Result<void> write_stream(const StreamInfo& stream) {
    const std::string definition = definition_of(stream);
    INFINIEDGE_TRY(run("INSERT OR REPLACE INTO stream VALUES(?, ?, ?, ?, ?, ?)", stream.id,
                       std::string_view(stream.schema->stream), stream.table, stream.epoch,
                       stream.last_seq, base::as_bytes(definition)));
    return run("INSERT OR REPLACE INTO schema_version VALUES(?, ?, ?)", stream.id,
               std::uint32_t{stream.schema->version}, base::as_bytes(definition));
  }

  Result<void> write_segment(const Segment& segment) {
    INFINIEDGE_TRY(run("INSERT OR REPLACE INTO segment VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       std::string_view(segment.id), segment.table, std::string_view(segment.file),
                       segment.rows, segment.min_ts, segment.max_ts, segment.bytes,
                       std::string_view(segment.sha256), std::string_view(segment.set_id)));
    for (const SegmentRange& range : segment.ranges) {
      INFINIEDGE_TRY(run("INSERT OR REPLACE INTO segment_range VALUES(?, ?, ?, ?, ?, ?)",
                         std::string_view(segment.id), range.stream, range.epoch, range.from,
                         range.to, range.rows));
    }
    return {};
  }

  Result<void> write_progress(const CatalogueChange& change) {
    for (const record::Gap& gap : change.gaps) {
      INFINIEDGE_TRY(run("INSERT OR REPLACE INTO gap VALUES(?, ?, ?, ?, ?)", gap.stream, gap.epoch,
                         gap.from_seq, gap.to_seq, base::as_bytes(record::encode_gap(gap))));
    }
    for (const Cursor& cursor : change.cursors) {
      INFINIEDGE_TRY(run("INSERT OR REPLACE INTO cursor VALUES(?, ?, ?, ?)",
                         std::string_view(cursor.peer), cursor.stream, cursor.epoch, cursor.hwm));
    }
    for (const Cover& cover : change.covers) {
      INFINIEDGE_TRY(
          run("DELETE FROM cover WHERE stream = ? AND epoch = ?", cover.stream, cover.epoch));
    }
    for (const Cover& cover : change.covers) {
      INFINIEDGE_TRY(run("INSERT OR REPLACE INTO cover VALUES(?, ?, ?, ?)", cover.stream,
                         cover.epoch, cover.from, cover.to));
    }
    return {};
  }

  template <class... Values>
  Result<void> run(std::string_view sql, const Values&... values) {
    auto statement = db_.prepare(sql);
    if (!statement) return std::move(statement).error();
    (statement->bind(values), ...);
    return statement->run();
  }

  Sqlite db_;
};

}  // namespace

namespace {

Result<void> check_version(Sqlite& db, const std::string& path) {
  auto statement = db.prepare("PRAGMA user_version");
  if (!statement) return std::move(statement).error();
  auto row = statement->next();
  if (!row) return std::move(row).error();
  const std::int64_t version = statement->integer(0);
  if (version == 0 || version == kVersion) return {};  // 0: new.
  return Error{Code::Unsupported,
               fmt::format("{} has format {}, this program reads {}: another version wrote it; use "
                           "that one",
                           path, version, kVersion)};
}

Result<std::unique_ptr<Catalogue>> open_database(const std::string& path) {
  auto db = Sqlite::open(path);
  if (!db) return std::move(db).error();
  INFINIEDGE_TRY(check_version(*db, path));
  INFINIEDGE_TRY(db->execute(
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT", kSchema, kVersion)));
  return std::make_unique<SqliteCatalogue>(std::move(*db));
}

}  // namespace

Result<std::unique_ptr<Catalogue>> open_catalogue(const std::string& path) {
  auto opened = open_database(path);
  if (opened || opened.error().code() != Code::Corrupt) return opened;
  return Error{Code::Corrupt, fmt::format("{} is damaged; restore it from a backup", path),
               std::move(opened).error()};
}

}  // namespace infiniedge::store
