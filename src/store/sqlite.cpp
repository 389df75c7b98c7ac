// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace infiniedge::store {
namespace {

Error sqlite_error(sqlite3* db, int result) {
  const auto code = [result] {
    switch (result & 0xff) {
      case SQLITE_FULL:
      case SQLITE_NOMEM:
        return Code::Exhausted;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return Code::Corrupt;
      case SQLITE_PERM:
      case SQLITE_READONLY:
      case SQLITE_CANTOPEN:
      case SQLITE_AUTH:
        return Code::Denied;
      default:
        return Code::Unavailable;
    }
  }();
  const char* file = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  return {code, fmt::format("{}: {}", file != nullptr ? file : "SQLite",
                            db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(result))};
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

SqliteStatement& SqliteStatement::bind(std::int64_t value) {
  const int result = sqlite3_bind_int64(statement_, ++bound_, value);
  if (fault_ == SQLITE_OK) fault_ = result;
  return *this;
}

SqliteStatement& SqliteStatement::bind(std::string_view text) {
  const int result = sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(),
                                         SQLITE_TRANSIENT, SQLITE_UTF8);
  if (fault_ == SQLITE_OK) fault_ = result;
  return *this;
}

SqliteStatement& SqliteStatement::bind(base::ByteView blob) {
  const int result =
      sqlite3_bind_blob64(statement_, ++bound_, blob.data(), blob.size(), SQLITE_TRANSIENT);
  if (fault_ == SQLITE_OK) fault_ = result;
  return *this;
}

Result<bool> SqliteStatement::next() {
  int result = fault_;
  if (result == SQLITE_OK) result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return sqlite_error(db_, result);
}

Result<void> SqliteStatement::run() {
  auto row = next();
  while (row && *row) row = next();
  sqlite3_reset(statement_);
  bound_ = 0;
  fault_ = SQLITE_OK;
  if (!row) return std::move(row).error();
  return {};
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string SqliteStatement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text != nullptr
             ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
             : std::string{};
}

std::string SqliteStatement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data != nullptr
             ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
             : std::string{};
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite db(raw);
  if (result != SQLITE_OK) return sqlite_error(raw, result);
  INFINIEDGE_TRY(
      db.execute("PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL;"
                 "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                 "PRAGMA trusted_schema=OFF;"));
  return db;
}

Sqlite::Sqlite(Sqlite&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Sqlite::~Sqlite() { sqlite3_close_v2(db_); }

Result<void> Sqlite::execute(const std::string& sql) {
  const int result = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return sqlite_error(db_, result);
  return {};
}

Result<SqliteStatement> Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result != SQLITE_OK) return sqlite_error(db_, result);
  return SqliteStatement(db_, statement);
}

}  // namespace infiniedge::store
