// SPDX-License-Identifier: Apache-2.0
#include "store/catalogue.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <functional>

#include "base/bytes.hpp"
#include "record/schema_codec.hpp"

namespace infiniedge::store {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream(id INTEGER PRIMARY KEY, tab INTEGER, epoch INTEGER, last_seq INTEGER, definition BLOB);
CREATE TABLE IF NOT EXISTS schema_version(stream TEXT, version INTEGER, origin BLOB, definition BLOB, PRIMARY KEY(stream, origin, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tab(id INTEGER PRIMARY KEY, sealed_lsn INTEGER DEFAULT 0, definition BLOB);
CREATE TABLE IF NOT EXISTS device(id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS segment(id TEXT PRIMARY KEY, table_id INTEGER, file TEXT, rows INTEGER, bytes INTEGER, min_ts INTEGER, max_ts INTEGER, sha256 TEXT, set_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment_range(segment TEXT REFERENCES segment(id) ON DELETE CASCADE, stream INTEGER, epoch INTEGER, from_seq INTEGER, to_seq INTEGER, rows INTEGER);
CREATE INDEX IF NOT EXISTS segment_range_by_segment ON segment_range(segment);
CREATE TABLE IF NOT EXISTS gap(id INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS cursor(peer TEXT, stream INTEGER, epoch INTEGER, hwm INTEGER, PRIMARY KEY(peer, stream)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cover(stream INTEGER, epoch INTEGER, from_seq INTEGER, to_seq INTEGER);
CREATE INDEX IF NOT EXISTS cover_by_stream ON cover(stream, epoch);
)";

Error sqlite_error(sqlite3* db, const char* doing) {
  const int code = sqlite3_extended_errcode(db);
  const auto sentence = fmt::format("catalogue: {}: {}", doing, sqlite3_errmsg(db));
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {Code::Exhausted, sentence};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::Corrupt, sentence};
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return {Code::Denied, sentence};
    default:
      return {Code::Unavailable, sentence};
  }
}

/// A prepared statement; bind in order, then run or step through rows.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  Statement& bind_u64(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(std::string_view text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind_blob(std::string_view bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }

  /// Runs to the end, calling `row` for each row; ready to be bound again.
  Result<void> run(const std::function<Result<void>(Statement&)>& row = {}) {
    int code = SQLITE_ERROR;
    while (statement_ != nullptr && (code = sqlite3_step(statement_)) == SQLITE_ROW) {
      if (row) INFINIEDGE_TRY(row(*this));
    }
    if (code != SQLITE_DONE) return sqlite_error(db_, "statement");
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    bound_ = 0;
    return {};
  }

  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::uint64_t u64(int column) const { return static_cast<std::uint64_t>(number(column)); }
  std::uint32_t u32(int column) const { return static_cast<std::uint32_t>(number(column)); }
  std::string bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data == nullptr
               ? std::string{}
               : std::string(data,
                             static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

std::string gateway_bytes(const record::GatewayId& id) {
  return std::string(reinterpret_cast<const char*>(id.data()), id.size());
}

std::string number_bytes(std::uint64_t value) {
  std::string out;
  base::put(out, value);
  return out;
}

/// A table's rows have no stream of their own, so its shape is kept as a nameless definition.
std::string table_definition(const TableInfo& table) {
  record::StreamDefinition definition{.id = table.id, .schema = *table.schema};
  definition.policy.lane = table.lane;
  definition.policy.keep = table.keep;
  definition.policy.label = table.label;
  return record::encode_definition(definition);
}

Result<record::StreamDefinition> stream_definition(const std::string& bytes) {
  auto decoded = record::decode_definition(base::as_bytes(bytes));
  if (!decoded) return decoded.error();
  auto* stream = std::get_if<record::StreamDefinition>(&*decoded);
  if (stream == nullptr) return Error{Code::Corrupt, "catalogue: a row defines something else"};
  return std::move(*stream);
}

class SqliteCatalogue final : public Catalogue {
 public:
  explicit SqliteCatalogue(sqlite3* db) : db_(db) {}
  ~SqliteCatalogue() override { sqlite3_close(db_); }

  Result<void> prepare();
  Result<CatalogueState> load() override;
  Result<void> apply(const CatalogueChange& change) override;

 private:
  Result<void> execute(const char* sql);
  Result<void> load_state(CatalogueState& out);
  Result<void> load_streams(CatalogueState& out);
  Result<void> load_segments(CatalogueState& out);
  Result<void> load_marks(CatalogueState& out);
  Result<void> write(const CatalogueChange& change);
  Result<void> write_state(const CatalogueChange& change);
  Result<void> write_streams(const CatalogueChange& change);
  Result<void> write_segments(const CatalogueChange& change);
  Result<void> write_marks(const CatalogueChange& change);

  sqlite3* db_;
};

Result<void> SqliteCatalogue::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_error(db_, sql);
  return {};
}

Result<void> SqliteCatalogue::prepare() {
  for (const char* pragma :
       {"PRAGMA busy_timeout=5000", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON", "PRAGMA trusted_schema=OFF"}) {
    INFINIEDGE_TRY(execute(pragma));
  }
  return execute(kSchema);
}

Result<CatalogueState> SqliteCatalogue::load() {
  CatalogueState out;
  INFINIEDGE_TRY(load_state(out));
  INFINIEDGE_TRY(load_streams(out));
  INFINIEDGE_TRY(load_segments(out));
  INFINIEDGE_TRY(load_marks(out));
  return out;
}

Result<void> SqliteCatalogue::load_state(CatalogueState& out) {
  Statement state(db_, "SELECT key, value FROM state");
  INFINIEDGE_TRY(state.run([&](Statement& row) -> Result<void> {
    const auto key = row.bytes(0);
    const auto value = row.bytes(1);
    if (key == "gateway" && value.size() == out.gateway.size())
      std::memcpy(out.gateway.data(), value.data(), value.size());
    if (value.size() != sizeof(std::uint64_t)) return {};
    const auto number = base::get<std::uint64_t>(base::as_bytes(value), 0);
    if (key == "epoch") out.epoch = static_cast<std::uint32_t>(number);
    if (key == "durable_lsn") out.durable_lsn = number;
    return {};
  }));
  Statement device(db_, "SELECT id, name FROM device");
  return device.run([&](Statement& row) -> Result<void> {
    out.devices[row.u32(0)] = row.bytes(1);
    return {};
  });
}

Result<void> SqliteCatalogue::load_streams(CatalogueState& out) {
  Statement stream(db_, "SELECT id, tab, epoch, last_seq, definition FROM stream ORDER BY id");
  INFINIEDGE_TRY(stream.run([&](Statement& row) -> Result<void> {
    auto definition = stream_definition(row.bytes(4));
    if (!definition) return definition.error();
    out.streams.push_back({.id = row.u32(0),
                           .origin = definition->origin,
                           .schema = std::make_shared<const Schema>(std::move(definition->schema)),
                           .policy = std::move(definition->policy),
                           .table = row.u32(1),
                           .epoch = row.u32(2),
                           .last_seq = row.u64(3)});
    return {};
  }));
  Statement old(db_, "SELECT definition FROM schema_version ORDER BY stream, version");
  INFINIEDGE_TRY(old.run([&](Statement& row) -> Result<void> {
    auto definition = stream_definition(row.bytes(0));
    if (!definition) return definition.error();
    out.old_schemas.push_back(std::make_shared<const Schema>(std::move(definition->schema)));
    return {};
  }));
  Statement table(db_, "SELECT id, sealed_lsn, definition FROM tab ORDER BY id");
  return table.run([&](Statement& row) -> Result<void> {
    auto definition = stream_definition(row.bytes(2));
    if (!definition) return definition.error();
    out.tables.push_back({.id = row.u32(0),
                          .schema = std::make_shared<const Schema>(std::move(definition->schema)),
                          .label = definition->policy.label,
                          .lane = definition->policy.lane,
                          .keep = definition->policy.keep});
    if (row.u64(1) > 0) out.sealed_lsn[row.u32(0)] = row.u64(1);
    return {};
  });
}

Result<void> SqliteCatalogue::load_segments(CatalogueState& out) {
  std::map<std::string, std::shared_ptr<Segment>> by_id;
  Statement segment(db_,
                    "SELECT id, table_id, file, rows, bytes, min_ts, max_ts, sha256, set_id FROM "
                    "segment ORDER BY id");
  INFINIEDGE_TRY(segment.run([&](Statement& row) -> Result<void> {
    auto made = std::make_shared<Segment>();
    made->id = row.bytes(0);
    made->table = row.u32(1);
    made->file = row.bytes(2);
    made->rows = row.u64(3);
    made->bytes = row.u64(4);
    made->min_ts = row.number(5);
    made->max_ts = row.number(6);
    made->sha256 = row.bytes(7);
    made->set_id = row.bytes(8);
    by_id[made->id] = std::move(made);
    return {};
  }));
  Statement range(
      db_,
      "SELECT segment, stream, epoch, from_seq, to_seq, rows FROM segment_range ORDER BY rowid");
  INFINIEDGE_TRY(range.run([&](Statement& row) -> Result<void> {
    const auto found = by_id.find(row.bytes(0));
    if (found == by_id.end()) return {};
    found->second->ranges.push_back({.stream = row.u32(1),
                                     .epoch = row.u32(2),
                                     .from = row.u64(3),
                                     .to = row.u64(4),
                                     .rows = row.u64(5)});
    return {};
  }));
  for (auto& [id, made] : by_id) out.segments.push_back(std::move(made));
  return {};
}

Result<void> SqliteCatalogue::load_marks(CatalogueState& out) {
  Statement gap(db_, "SELECT body FROM gap ORDER BY id");
  INFINIEDGE_TRY(gap.run([&](Statement& row) -> Result<void> {
    const auto body = row.bytes(0);
    auto decoded = record::decode_gap(base::as_bytes(body));
    if (!decoded) return decoded.error();
    out.gaps.push_back(std::move(*decoded));
    return {};
  }));
  Statement cursor(db_, "SELECT peer, stream, epoch, hwm FROM cursor");
  INFINIEDGE_TRY(cursor.run([&](Statement& row) -> Result<void> {
    out.cursors.push_back(
        {.peer = row.bytes(0), .stream = row.u32(1), .epoch = row.u32(2), .hwm = row.u64(3)});
    return {};
  }));
  Statement cover(
      db_, "SELECT stream, epoch, from_seq, to_seq FROM cover ORDER BY stream, epoch, from_seq");
  return cover.run([&](Statement& row) -> Result<void> {
    out.covers.push_back(
        {.stream = row.u32(0), .epoch = row.u32(1), .from = row.u64(2), .to = row.u64(3)});
    return {};
  });
}

Result<void> SqliteCatalogue::apply(const CatalogueChange& change) {
  INFINIEDGE_TRY(execute("BEGIN IMMEDIATE"));
  auto written = write(change);
  if (written) written = execute("COMMIT");
  if (!written) (void)execute("ROLLBACK");
  return written;
}

Result<void> SqliteCatalogue::write(const CatalogueChange& change) {
  INFINIEDGE_TRY(write_state(change));
  INFINIEDGE_TRY(write_streams(change));
  INFINIEDGE_TRY(write_segments(change));
  return write_marks(change);
}

Result<void> SqliteCatalogue::write_state(const CatalogueChange& change) {
  Statement put(db_, "INSERT OR REPLACE INTO state(key, value) VALUES(?, ?)");
  if (change.gateway != record::GatewayId{})
    INFINIEDGE_TRY(put.bind("gateway").bind_blob(gateway_bytes(change.gateway)).run());
  if (change.epoch != 0)
    INFINIEDGE_TRY(put.bind("epoch").bind_blob(number_bytes(change.epoch)).run());
  if (change.durable_lsn != 0)
    INFINIEDGE_TRY(put.bind("durable_lsn").bind_blob(number_bytes(change.durable_lsn)).run());
  Statement device(db_, "INSERT OR REPLACE INTO device(id, name) VALUES(?, ?)");
  for (const auto& [id, name] : change.devices) INFINIEDGE_TRY(device.bind(id).bind(name).run());
  return {};
}

Result<void> SqliteCatalogue::write_streams(const CatalogueChange& change) {
  Statement stream(
      db_,
      "INSERT OR REPLACE INTO stream(id, tab, epoch, last_seq, definition) VALUES(?, ?, ?, ?, ?)");
  Statement version(db_,
                    "INSERT OR REPLACE INTO schema_version(stream, version, origin, definition) "
                    "VALUES(?, ?, ?, ?)");
  for (const auto& info : change.streams) {
    const record::StreamDefinition definition{
        .id = info.id, .origin = info.origin, .schema = *info.schema, .policy = info.policy};
    const auto bytes = record::encode_definition(definition);
    INFINIEDGE_TRY(stream.bind(info.id)
                       .bind(info.table)
                       .bind(info.epoch)
                       .bind_u64(info.last_seq)
                       .bind_blob(bytes)
                       .run());
    INFINIEDGE_TRY(version.bind(info.schema->stream)
                       .bind(info.schema->version)
                       .bind_blob(gateway_bytes(info.origin))
                       .bind_blob(bytes)
                       .run());
  }
  Statement table(db_,
                  "INSERT INTO tab(id, definition) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET "
                  "definition = excluded.definition");
  for (const auto& info : change.tables)
    INFINIEDGE_TRY(table.bind(info.id).bind_blob(table_definition(info)).run());
  Statement sealed(db_, "UPDATE tab SET sealed_lsn = ? WHERE id = ?");
  for (const auto& [id, lsn] : change.sealed_lsn)
    INFINIEDGE_TRY(sealed.bind_u64(lsn).bind(id).run());
  return {};
}

Result<void> SqliteCatalogue::write_segments(const CatalogueChange& change) {
  Statement drop(db_, "DELETE FROM segment WHERE id = ?");
  for (const auto& id : change.drop_segments) INFINIEDGE_TRY(drop.bind(id).run());
  Statement add(db_,
                "INSERT OR REPLACE INTO segment(id, table_id, file, rows, bytes, min_ts, max_ts, "
                "sha256, set_id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  Statement range(db_,
                  "INSERT INTO segment_range(segment, stream, epoch, from_seq, to_seq, rows) "
                  "VALUES(?, ?, ?, ?, ?, ?)");
  for (const auto& segment : change.add_segments) {
    INFINIEDGE_TRY(add.bind(segment->id)
                       .bind(segment->table)
                       .bind(segment->file)
                       .bind_u64(segment->rows)
                       .bind_u64(segment->bytes)
                       .bind(segment->min_ts)
                       .bind(segment->max_ts)
                       .bind(segment->sha256)
                       .bind(segment->set_id)
                       .run());
    for (const auto& r : segment->ranges) {
      INFINIEDGE_TRY(range.bind(segment->id)
                         .bind(r.stream)
                         .bind(r.epoch)
                         .bind_u64(r.from)
                         .bind_u64(r.to)
                         .bind_u64(r.rows)
                         .run());
    }
  }
  return {};
}

Result<void> SqliteCatalogue::write_marks(const CatalogueChange& change) {
  Statement gap(db_, "INSERT INTO gap(body) VALUES(?)");
  for (const auto& lost : change.gaps)
    INFINIEDGE_TRY(gap.bind_blob(record::encode_gap(lost)).run());
  Statement cursor(db_,
                   "INSERT OR REPLACE INTO cursor(peer, stream, epoch, hwm) VALUES(?, ?, ?, ?)");
  for (const auto& c : change.cursors)
    INFINIEDGE_TRY(cursor.bind(c.peer).bind(c.stream).bind(c.epoch).bind_u64(c.hwm).run());
  Statement clear(db_, "DELETE FROM cover WHERE stream = ? AND epoch = ?");
  for (const auto& c : change.covers) INFINIEDGE_TRY(clear.bind(c.stream).bind(c.epoch).run());
  Statement cover(db_, "INSERT INTO cover(stream, epoch, from_seq, to_seq) VALUES(?, ?, ?, ?)");
  for (const auto& c : change.covers)
    INFINIEDGE_TRY(cover.bind(c.stream).bind(c.epoch).bind_u64(c.from).bind_u64(c.to).run());
  return {};
}

}  // namespace

Result<std::unique_ptr<Catalogue>> open_catalogue(const std::string& path) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db, flags, nullptr) != SQLITE_OK) {
    auto error = sqlite_error(db, "open");
    sqlite3_close(db);
    return error;
  }
  auto catalogue = std::make_unique<SqliteCatalogue>(db);
  INFINIEDGE_TRY(catalogue->prepare());
  return std::unique_ptr<Catalogue>(std::move(catalogue));
}

}  // namespace infiniedge::store
