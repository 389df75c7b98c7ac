// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace infiniedge::store {

/// A prepared statement. Values are bound in the order of their question marks.
///
/// Thread: that of its Sqlite.
/// Errors: the first failure, binding included, is what run() or next() returns.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  SqliteStatement& bind(std::int64_t value);
  SqliteStatement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  SqliteStatement& bind(std::uint32_t value) { return bind(static_cast<std::int64_t>(value)); }
  SqliteStatement& bind(std::string_view text);
  SqliteStatement& bind(base::ByteView blob);

  /// Runs to the end and makes it ready to be bound again.
  Result<void> run();
  /// The next row: false at the end.
  Result<bool> next();

  std::int64_t integer(int column) const;
  std::uint64_t u64(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::uint32_t u32(int column) const { return static_cast<std::uint32_t>(integer(column)); }
  std::string text(int column) const;
  std::string blob(int column) const;

 private:
  friend class Sqlite;
  SqliteStatement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int fault_ = 0;
};

/// A SQLite database with the pragmas of data.md 5: WAL, synchronous=FULL, foreign keys, busy
/// timeout 5 s, schema not trusted.
///
/// Thread: one at a time.
/// Errors: Exhausted (disk full), Corrupt (not a database, damaged), Denied (permissions), else
///         Unavailable.
class Sqlite {
 public:
  static Result<Sqlite> open(const std::string& path);
  Sqlite(Sqlite&& other) noexcept;
  Sqlite& operator=(Sqlite&&) = delete;
  ~Sqlite();

  /// One or more statements without values.
  Result<void> execute(const std::string& sql);
  Result<SqliteStatement> prepare(std::string_view sql);

 private:
  explicit Sqlite(sqlite3* db) : db_(db) {}
  sqlite3* db_;
};

}  // namespace infiniedge::store
