// SPDX-License-Identifier: Apache-2.0
#include "store/duckdb_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

namespace infiniedge::store {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

Error error_of(const duck::Api& api, duck::RawResult& raw) {
  const char* text = api.result_error(&raw);
  const std::string message = text != nullptr ? text : "DuckDB failed without a message";
  const int type = api.result_error_type(&raw);
  return {type != 0 ? duckdb_code(type) : duckdb_code(message), message};
}

Error error_of(const char* text) {
  const std::string message = text != nullptr ? text : "DuckDB failed without a message";
  return {duckdb_code(message), message};
}

/// Runs `clean` when the block ends.
template <class Clean>
struct Cleanup {
  Clean clean;
  explicit Cleanup(Clean c) : clean(std::move(c)) {}
  ~Cleanup() { clean(); }
  Cleanup(const Cleanup&) = delete;
  Cleanup& operator=(const Cleanup&) = delete;
};

struct KnownError {
  std::string_view prefix;
  int type;
};
constexpr KnownError kErrors[] = {
    {"Catalog Error", 13},       {"Parser Error", 14},     {"Syntax Error", 22},
    {"Binder Error", 24},        {"IO Error", 28},         {"INTERRUPT Error", 29},
    {"Interrupt Error", 29},     {"FATAL Error", 30},      {"INTERNAL Error", 31},
    {"Out of Memory Error", 33}, {"Permission Error", 34},
};

int bind_one(const duck::Api& api, duck::Statement statement, duck::idx_t index,
             const QueryParam& param) {
  struct Visitor {
    const duck::Api& api;
    duck::Statement statement;
    duck::idx_t index;
    int operator()(std::monostate) const { return api.bind_null(statement, index); }
    int operator()(bool value) const { return api.bind_boolean(statement, index, value); }
    int operator()(std::int64_t value) const { return api.bind_int64(statement, index, value); }
    int operator()(double value) const { return api.bind_double(statement, index, value); }
    int operator()(const std::string& value) const {
      return api.bind_varchar_length(statement, index, value.data(), value.size());
    }
  };
  return std::visit(Visitor{api, statement, index}, param.value);
}

Result<void> bind_all(const duck::Api& api, duck::Statement statement,
                      const std::vector<QueryParam>& params) {
  const auto expected = api.nparams(statement);
  if (expected != params.size()) {
    return Error{Code::Invalid, fmt::format("the query has {} parameters, but {} values were given",
                                            expected, params.size())};
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    duck::idx_t index = i + 1;
    if (!params[i].name.empty() &&
        api.bind_parameter_index(statement, &index, params[i].name.c_str()) != duck::kSuccess) {
      return Error{Code::Invalid, fmt::format("the query has no parameter ${}", params[i].name)};
    }
    if (bind_one(api, statement, index, params[i]) != duck::kSuccess) {
      return Error{Code::Invalid, fmt::format("the value of parameter {} cannot be used", i + 1)};
    }
  }
  return {};
}

/// One statement on its way from text to rows.
class Prepared {
 public:
  Prepared(const duck::Api& api, duck::Connection connection)
      : api_(api), connection_(connection) {}
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() {
    // DuckDB waits for the tasks of what is given up; only an interrupt makes them end early.
    if (pending_ != nullptr && !finished_) api_.interrupt(connection_);
    if (pending_ != nullptr) api_.destroy_pending(&pending_);
    if (statement_ != nullptr) api_.destroy_prepare(&statement_);
    if (extracted_ != nullptr) api_.destroy_extracted(&extracted_);
  }

  Result<void> prepare(const std::string& sql) {
    const auto count = api_.extract_statements(connection_, sql.c_str(), &extracted_);
    if (count == 0) return error_of(api_.extract_statements_error(extracted_));
    if (count != 1) return Error{Code::Invalid, "exactly one statement is allowed"};
    if (api_.prepare_extracted_statement(connection_, extracted_, 0, &statement_) !=
        duck::kSuccess) {
      return error_of(api_.prepare_error(statement_));
    }
    return {};
  }

  duck::Statement statement() const { return statement_; }

  Result<DuckRows> run(const std::function<Result<void>()>& stop) {
    if (api_.pending_prepared_streaming(statement_, &pending_) != duck::kSuccess) {
      return error_of(api_.pending_error(pending_));
    }
    INFINIEDGE_TRY(work(stop));
    duck::RawResult raw;
    if (api_.execute_pending(pending_, &raw) != duck::kSuccess) {
      Error error = error_of(api_, raw);
      api_.destroy_result(&raw);
      return error;
    }
    finished_ = true;
    return DuckRows(api_, raw);
  }

 private:
  /// Does tasks, and sleeps while other threads have them all: DuckDB's own wait spins, and takes
  /// a core from those that it waits for.
  Result<void> work(const std::function<Result<void>()>& stop) {
    constexpr std::chrono::microseconds kLongest{1000};
    std::chrono::microseconds pause{10};
    while (true) {
      if (stop) INFINIEDGE_TRY(stop());
      const int state = api_.pending_execute_task(pending_);
      if (state == duck::kReady) return {};
      if (state == duck::kNoTasks) {
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, kLongest);
      } else if (state == duck::kNotReady) {
        pause = std::chrono::microseconds{10};
      } else {
        const char* text = api_.pending_error(pending_);
        // Blocked tasks are told as a failure without words: execute_pending waits for them.
        if (text == nullptr || *text == '\0') return {};
        return error_of(text);
      }
    }
  }

  const duck::Api& api_;
  duck::Connection connection_;
  bool finished_ = false;
  duck::Extracted extracted_ = nullptr;
  duck::Statement statement_ = nullptr;
  duck::Pending pending_ = nullptr;
};

Result<duck::Database> open_handle(const duck::Api& api, const DuckDatabase::Options& options) {
  duck::Config config = nullptr;
  if (api.create_config(&config) != duck::kSuccess) {
    return Error{Code::Internal, "DuckDB makes no configuration"};
  }
  const Cleanup cleanup([&] { api.destroy_config(&config); });
  const std::string threads = std::to_string(options.threads);
  const std::pair<const char*, const char*> settings[] = {
      {"threads", threads.c_str()},
      {"memory_limit", options.memory_limit.c_str()},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"}};
  for (const auto& [name, value] : settings) {
    if (api.set_config(config, name, value) != duck::kSuccess) {
      return Error{Code::Unavailable, fmt::format("DuckDB refuses {} = {}", name, value)};
    }
  }
  duck::Database database = nullptr;
  char* text = nullptr;
  if (api.open_ext(nullptr, &database, config, &text) != duck::kSuccess) {
    const std::string message = text != nullptr ? text : "no reason given";
    if (text != nullptr) api.free(text);
    return Error{Code::Unavailable, "DuckDB does not start: " + message};
  }
  return database;
}

}  // namespace

Code duckdb_code(int error_type) {
  switch (error_type) {
    case 28:
      return Code::Unavailable;
    case 29:
      return Code::Cancelled;
    case 30:
    case 31:
      return Code::Internal;
    case 33:
      return Code::Exhausted;
    case 34:
      return Code::Denied;
    default:
      return Code::Invalid;  // What the text or the values of the query caused.
  }
}

Code duckdb_code(std::string_view message) {
  for (const auto& [prefix, type] : kErrors) {
    if (message.starts_with(prefix)) return duckdb_code(type);
  }
  return Code::Invalid;
}

std::string sql_text(std::string_view text) { return quoted(text, '\''); }
std::string sql_name(std::string_view name) { return quoted(name, '"'); }

Result<std::shared_ptr<DuckDatabase>> DuckDatabase::open(const duck::Api& api,
                                                         const Options& options) {
  auto handle = open_handle(api, options);
  if (!handle) return std::move(handle).error();
  std::shared_ptr<DuckDatabase> database(new DuckDatabase(api));
  database->database_ = *handle;

  auto connection = DuckConnection::open(database);
  if (!connection) return std::move(connection).error();
  // The order matters: the last two lock what stands before them.
  const std::string statements[] = {
      fmt::format("SET temp_directory = {}", sql_text(options.dir + "/tmp")),
      "SET max_temp_directory_size = '512MB'",
      "SET GLOBAL TimeZone = 'UTC'",
      "SET GLOBAL parquet_metadata_cache = true",  // Segments never change.
      fmt::format("SET allowed_directories = [{}, {}, '/proc/self/fd/']",
                  sql_text(options.dir + "/seg/"), sql_text(options.dir + "/tmp/")),
      "SET enable_external_access = false",
  };
  for (const std::string& sql : statements) INFINIEDGE_TRY(connection->execute(sql));
  INFINIEDGE_TRY(register_mem_scan(*connection, database->sources_));
  INFINIEDGE_TRY(connection->execute("SET lock_configuration = true"));
  return database;
}

DuckDatabase::~DuckDatabase() {
  if (database_ != nullptr) api_.close(&database_);
}

DuckDb::DuckDb(DuckDatabase::Options options, std::string library)
    : options_(std::move(options)), library_(std::move(library)) {}

DuckDatabase::Options DuckDb::options_for(std::string dir) {
  const auto memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const bool small = memory < (std::uint64_t{2} << 30);
  return {
      .dir = std::move(dir), .threads = small ? 1 : 2, .memory_limit = small ? "64MB" : "128MB"};
}

Result<std::shared_ptr<DuckDatabase>> DuckDb::database() {
  const std::scoped_lock lock(mutex_);
  if (database_) return database_;
  const std::string own[] = {library_};
  auto api = library_.empty() ? duck::load() : duck::load(own);
  if (!api) return std::move(api).error();
  std::error_code error;
  std::filesystem::create_directories(options_.dir + "/seg/.tmp", error);
  auto opened = DuckDatabase::open(**api, options_);
  if (!opened) return std::move(opened).error();
  database_ = std::move(*opened);
  return database_;
}

void DuckDb::discard(const std::shared_ptr<DuckDatabase>& broken) {
  const std::scoped_lock lock(mutex_);
  if (database_ == broken) database_.reset();
}

DuckRows::DuckRows(DuckRows&& other) noexcept
    : api_(other.api_), raw_(other.raw_), chunk_(other.chunk_) {
  other.api_ = nullptr;
}

DuckRows::~DuckRows() {
  if (api_ == nullptr) return;
  if (chunk_ != nullptr) api_->destroy_data_chunk(&chunk_);
  api_->destroy_result(&raw_);
}

Result<duck::Chunk> DuckRows::next() {
  if (chunk_ != nullptr) api_->destroy_data_chunk(&chunk_);
  chunk_ = api_->fetch_chunk(raw_);
  if (chunk_ == nullptr && api_->result_error(&raw_) != nullptr) return error_of(*api_, raw_);
  return chunk_;
}

Result<DuckConnection> DuckConnection::open(std::shared_ptr<DuckDatabase> database) {
  DuckConnection connection(std::move(database));
  if (connection.api().connect(connection.database_->handle(), &connection.connection_) !=
      duck::kSuccess) {
    return Error{Code::Unavailable, "DuckDB opens no connection"};
  }
  return connection;
}

DuckConnection::DuckConnection(DuckConnection&& other) noexcept
    : database_(std::move(other.database_)),
      connection_(std::exchange(other.connection_, nullptr)) {}

DuckConnection::~DuckConnection() {
  if (connection_ != nullptr) api().disconnect(&connection_);
}

Result<DuckRows> DuckConnection::query(const std::string& sql) {
  duck::RawResult raw;
  if (api().query(connection_, sql.c_str(), &raw) != duck::kSuccess) {
    Error error = error_of(api(), raw);
    api().destroy_result(&raw);
    return error;
  }
  return DuckRows(api(), raw);
}

Result<void> DuckConnection::execute(const std::string& sql) {
  auto rows = query(sql);
  if (!rows) return std::move(rows).error();
  return {};
}

Result<std::uint64_t> DuckConnection::copy(const std::string& sql) {
  Prepared prepared(api(), connection_);
  INFINIEDGE_TRY(prepared.prepare(sql));
  auto rows = prepared.run({});
  if (!rows) return std::move(rows).error();
  std::uint64_t written = 0;
  while (true) {
    auto chunk = rows->next();
    if (!chunk) return std::move(chunk).error();
    if (*chunk == nullptr) return written;
    if (api().data_chunk_get_size(*chunk) == 0) continue;
    const void* count = api().vector_get_data(api().data_chunk_get_vector(*chunk, 0));
    written += static_cast<std::uint64_t>(*static_cast<const std::int64_t*>(count));
  }
}

Result<DuckRows> DuckConnection::select(const std::string& sql,
                                        const std::vector<QueryParam>& params,
                                        const std::function<Result<void>()>& stop) {
  const duck::Api& duck = api();
  Prepared prepared(duck, connection_);
  INFINIEDGE_TRY(prepared.prepare(sql));
  if (duck.prepared_statement_type(prepared.statement()) != duck::kSelect) {
    return Error{Code::Invalid, "only SELECT is allowed here"};
  }
  INFINIEDGE_TRY(bind_all(duck, prepared.statement(), params));
  return prepared.run(stop);
}

}  // namespace infiniedge::store
