// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "infiniedge/result.hpp"
#include "store/duckdb_table.hpp"
#include "store/mem_scan.hpp"

namespace infiniedge::store {

/// DuckDB's error kinds and the code that each means to a caller (docs/guide/sql.md).
Code duckdb_code(int error_type);
/// The same from a message: "Binder Error: …".
Code duckdb_code(std::string_view message);

/// 'it''s' and "na""me": text and names as SQL literals.
std::string sql_text(std::string_view text);
std::string sql_name(std::string_view name);

/// One in-memory database, locked down: no extensions, no files but those of the store.
///
/// Thread: any; each connection belongs to one thread at a time.
/// Owner:  shared by the Engine and every open connection.
class DuckDatabase {
 public:
  struct Options {
    std::string dir;  ///< Of the store, absolute: `seg/` may be read and written.
    int threads = 2;
    std::string memory_limit = "128MB";
  };
  static Result<std::shared_ptr<DuckDatabase>> open(const duck::Api& api, const Options& options);
  ~DuckDatabase();
  DuckDatabase(const DuckDatabase&) = delete;
  DuckDatabase& operator=(const DuckDatabase&) = delete;

  const duck::Api& api() const { return api_; }
  duck::Database handle() const { return database_; }
  MemSources& sources() { return sources_; }

 private:
  explicit DuckDatabase(const duck::Api& api) : api_(api) {}

  const duck::Api& api_;
  duck::Database database_ = nullptr;
  MemSources sources_;
};

/// Opens the database when it is first needed, and anew after it reported a defect.
///
/// Thread: any. Owner: app; outlives sealer, reader and query.
/// Errors: Unavailable without the library, or when it cannot start.
class DuckDb {
 public:
  /// `library`: empty: where duck::library_candidates() says.
  explicit DuckDb(DuckDatabase::Options options, std::string library = {});
  /// Threads and memory as the machine's size suggests.
  static DuckDatabase::Options options_for(std::string dir);

  Result<std::shared_ptr<DuckDatabase>> database();
  /// After an Internal error: the next call of database() opens another one.
  void discard(const std::shared_ptr<DuckDatabase>& broken);

 private:
  DuckDatabase::Options options_;
  std::string library_;
  std::mutex mutex_;
  std::shared_ptr<DuckDatabase> database_;
};

/// Rows of a statement, chunk by chunk.
class DuckRows {
 public:
  DuckRows(const duck::Api& api, duck::RawResult raw) : api_(&api), raw_(raw) {}
  DuckRows(DuckRows&& other) noexcept;
  DuckRows& operator=(DuckRows&&) = delete;
  ~DuckRows();

  std::size_t columns() { return api_->column_count(&raw_); }
  std::string name(std::size_t column) { return api_->column_name(&raw_, column); }
  duck::LogicalType type(std::size_t column) { return api_->column_logical_type(&raw_, column); }
  /// The next chunk, valid until the next call; null at the end.
  Result<duck::Chunk> next();

 private:
  const duck::Api* api_;
  duck::RawResult raw_;
  duck::Chunk chunk_ = nullptr;
};

/// A value for `?`, `$1` or `$name` of a query.
struct QueryParam {
  std::string name{};  ///< Empty: by position.
  std::variant<std::monostate, bool, std::int64_t, double, std::string> value{};
};

/// A connection; temporary views are private to it.
///
/// Thread: one at a time, except interrupt().
class DuckConnection {
 public:
  static Result<DuckConnection> open(std::shared_ptr<DuckDatabase> database);
  DuckConnection(DuckConnection&& other) noexcept;
  DuckConnection& operator=(DuckConnection&&) = delete;
  ~DuckConnection();

  /// One statement of ours, without rows.
  Result<void> execute(const std::string& sql);
  /// The same for a COPY, which works long: waiting for DuckDB's threads takes no processor.
  /// Returns how many rows it says to have written.
  Result<std::uint64_t> copy(const std::string& sql);
  Result<DuckRows> query(const std::string& sql);
  /// Exactly one SELECT, streaming. `stop` is asked between its tasks.
  Result<DuckRows> select(const std::string& sql, const std::vector<QueryParam>& params,
                          const std::function<Result<void>()>& stop);
  /// From any thread, while the connection lives.
  void interrupt() const { api().interrupt(connection_); }

  const duck::Api& api() const { return database_->api(); }
  duck::Connection handle() const { return connection_; }
  const std::shared_ptr<DuckDatabase>& database() const { return database_; }

 private:
  explicit DuckConnection(std::shared_ptr<DuckDatabase> database)
      : database_(std::move(database)) {}

  std::shared_ptr<DuckDatabase> database_;
  duck::Connection connection_ = nullptr;
};

}  // namespace infiniedge::store
