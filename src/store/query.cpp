// SPDX-License-Identifier: Apache-2.0
#include "store/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <chrono>
#include <mutex>
#include <set>

#include "store/guard.hpp"
#include "store/sql_error.hpp"

namespace infiniedge::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Mark {
  std::string stream;
  std::uint32_t epoch = 0;
  std::uint64_t seq = 0;
};

template <class T>
bool number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

Result<Mark> parse_mark(const std::string& text) {
  const auto second = text.rfind(':');
  const auto first =
      second == std::string::npos || second == 0 ? std::string::npos : text.rfind(':', second - 1);
  Mark mark;
  if (first == std::string::npos || first == 0 ||
      !number(std::string_view(text).substr(first + 1, second - first - 1), mark.epoch) ||
      !number(std::string_view(text).substr(second + 1), mark.seq)) {
    return Error{
        Code::Invalid,
        fmt::format("read_after \"{}\" is not stream:epoch:seq, as an append returns it", text)};
  }
  mark.stream = text.substr(0, first);
  return mark;
}

/// Whether the snapshot holds the row; NotFound if there is no such stream.
Result<bool> shows(const Snapshot& snapshot, const Mark& mark) {
  StreamId id = 0;
  const bool by_id = number(std::string_view(mark.stream), id);
  const std::string name = sql_spelling(mark.stream);
  bool found = false;
  for (const StreamInfo& stream : snapshot.streams) {
    if (by_id ? stream.id != id : stream.schema->stream != name) continue;
    found = true;
    if (stream.epoch > mark.epoch || (stream.epoch == mark.epoch && stream.last_seq >= mark.seq)) {
      return true;
    }
  }
  if (found) return false;
  return Error{Code::NotFound, fmt::format("read_after names no stream: {}", mark.stream)};
}

}  // namespace

/// One query on its way: values, and the connection that a timer may interrupt.
struct Query::Job {
  QueryRequest request;
  SnapshotPtr snapshot;
  KnownNames known;
  DuckDb* duckdb = nullptr;
  ChunkLoader loader;
  std::size_t max_bytes = 0;
  SteadyClock::time_point started, deadline;
  std::optional<DuckConnection> connection;  ///< From check() to the end; its views are its own.
  GuardedQuery guarded;
  std::map<std::string, SystemView> system;
  base::Diagnostic diagnostic;
  bool diagnosed = false;

  std::atomic<bool> cancelled{false}, late{false};
  std::mutex mutex;
  DuckConnection* running = nullptr;

  Result<void> stopped() const {
    if (cancelled) return Error{Code::Cancelled, "the query was cancelled"};
    if (late || SteadyClock::now() >= deadline) {
      return Error{Code::Timeout,
                   fmt::format("the query ran longer than {} ms; narrow it, for example by ts, or "
                               "raise timeout_ms",
                               request.timeout.count() / 1000)};
    }
    return {};
  }
  void interrupt() {
    const std::scoped_lock lock(mutex);
    if (running != nullptr) running->interrupt();
  }
  void set_running(DuckConnection* now) {
    const std::scoped_lock lock(mutex);
    running = now;
  }

  /// Step 1 and 2, on a worker.
  Result<void> check();
  /// Step 5 and 6, on a worker.
  Result<QueryResult> execute();

 private:
  Result<QueryResult> rows();
  Error explained(Error error);
};

/// Interrupts a job at its deadline, and again until it has noticed: DuckDB forgets an interrupt
/// that comes between two statements.
struct Query::Watchdog : std::enable_shared_from_this<Watchdog> {
  boost::asio::steady_timer timer;
  std::function<void()> expire;
  bool done = false;

  explicit Watchdog(const boost::asio::any_io_executor& executor) : timer(executor) {}
  void start(SteadyClock::time_point when) {
    timer.expires_at(when);
    timer.async_wait([self = shared_from_this()](boost::system::error_code) {
      if (self->done) return;
      self->expire();
      self->start(SteadyClock::now() + std::chrono::milliseconds(20));
    });
  }
  void stop() {
    done = true;
    timer.cancel();
  }
};

/// One of the 18 places. Given back also when a cancelled coroutine is unwound.
class Query::Admission {
 public:
  Admission(std::size_t& active, Watchdog& watchdog, boost::asio::cancellation_slot slot)
      : active_(active), watchdog_(watchdog), slot_(slot) {
    ++active_;
  }
  ~Admission() {
    --active_;
    watchdog_.stop();
    if (slot_.is_connected()) slot_.clear();
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

 private:
  std::size_t& active_;
  Watchdog& watchdog_;
  boost::asio::cancellation_slot slot_;
};

Result<void> Query::Job::check() {
  INFINIEDGE_TRY(stopped());
  auto database = duckdb->database();
  if (!database) return std::move(database).error();
  auto opened = DuckConnection::open(*database);
  if (!opened) return std::move(opened).error();
  connection.emplace(std::move(*opened));
  auto query = guard(*connection, request.sql, request.params, known, diagnostic);
  if (!query) {
    diagnosed = true;
    return std::move(query).error();
  }
  guarded = std::move(*query);
  return {};
}

Error Query::Job::explained(Error error) {
  if (error.code() == Code::Cancelled || error.code() == Code::Timeout) {
    const auto why = stopped();
    return why ? error : why.error();
  }
  if (error.code() != Code::Invalid) return error;
  diagnosed = true;
  diagnostic = diagnostic_from(error, request.sql);
  return error_from(Code::Invalid, diagnostic);
}

Result<QueryResult> Query::Job::rows() {
  auto found = connection->select(request.sql, request.params, [this] { return stopped(); });
  if (!found) return std::move(found).error();
  // Rows that nobody waits for any more must not be searched for either.
  struct Rest {
    const DuckConnection& connection;
    bool read = false;
    ~Rest() {
      if (!read) connection.interrupt();
    }
  } rest{*connection};
  ResultWriter writer(connection->api(), request.format, request.max_rows, max_bytes);
  INFINIEDGE_TRY(writer.begin(*found));
  for (;;) {
    INFINIEDGE_TRY(stopped());
    auto chunk = found->next();
    if (!chunk) return std::move(chunk).error();
    if (*chunk == nullptr) {
      // Interrupted, DuckDB may end the rows without an error.
      INFINIEDGE_TRY(stopped());
      rest.read = true;
      break;
    }
    if (!writer.add(*chunk)) break;
  }
  const auto elapsed = std::chrono::duration_cast<Micros>(SteadyClock::now() - started);
  writer.end(static_cast<double>(elapsed.count()) / 1000);
  return QueryResult{writer.columns(), std::move(writer.body()), writer.rows(), writer.truncated(),
                     elapsed};
}

Result<QueryResult> Query::Job::execute() {
  INFINIEDGE_TRY(stopped());
  set_running(&*connection);
  const auto run = [&]() -> Result<QueryResult> {
    Views views(*connection, snapshot, loader);
    for (const auto& [name, use] : guarded.tables) {
      const auto view = system.find(use.known);
      INFINIEDGE_TRY(view != system.end() ? views.make_system(name, view->second)
                                          : views.make_stream(name, use.known, use.range));
    }
    return rows();
  };
  auto result = run();
  set_running(nullptr);
  const auto database = connection->database();
  connection.reset();  // Its memory goes now, not when the answer has been sent.
  if (result) return result;
  if (result.error().code() == Code::Internal) duckdb->discard(database);
  return explained(std::move(result).error());
}

Query::Query(Environment environment) : environment_(std::move(environment)) {}
Query::~Query() = default;

std::vector<std::string> Query::names(const Snapshot& snapshot) const {
  std::set<std::string> names{"gaps", "segments", "streams"};
  names.insert(environment_.system_names.begin(), environment_.system_names.end());
  for (const StreamInfo& stream : snapshot.streams) names.insert(stream.schema->stream);
  return {names.begin(), names.end()};
}

Task<Result<void>> Query::wait_visible(std::string read_after, Instant deadline) {
  auto mark = parse_mark(read_after);
  if (!mark) co_return std::move(mark).error();
  for (;;) {
    const SnapshotPtr snapshot = environment_.snapshot();
    auto visible = shows(*snapshot, *mark);
    if (!visible) co_return std::move(visible).error();
    if (*visible) co_return Result<void>{};
    if (environment_.clock->now() >= deadline) {
      co_return Error{Code::Timeout, "the row that read_after names did not arrive in time"};
    }
    INFINIEDGE_CO_TRY(co_await environment_.clock->sleep_for(Millis{5}));
  }
}

/// Steps 3 and 4: the gate, and what the system views show now.
Result<void> Query::admit(Job& job) {
  std::vector<StreamInfo> streams;
  for (const auto& [name, use] : job.guarded.tables) {
    bool is_stream = false;
    for (const StreamInfo& stream : job.snapshot->streams) {
      if (stream.schema->stream != use.known) continue;
      streams.push_back(stream);
      is_stream = true;
    }
    if (is_stream) continue;
    auto view = snapshot_view(*job.snapshot, use.known);
    if (!view && environment_.system_view) view = environment_.system_view(use.known);
    if (!view) return Error{Code::NotFound, "no such view: " + use.known};
    job.system[use.known] = std::move(*view);
  }
  return job.request.permit ? job.request.permit(streams) : Result<void>{};
}

Task<Result<QueryResult>> Query::run_job(std::shared_ptr<Job> job,
                                         std::shared_ptr<Watchdog> watchdog) {
  auto& workers = *environment_.workers;
  auto slot = (co_await boost::asio::this_coro::cancellation_state).slot();
  const Admission admission(active_, *watchdog, slot);
  const auto cancel = [job, watchdog](boost::asio::cancellation_type) {
    job->cancelled = true;
    watchdog->timer.expires_at(SteadyClock::now());  // Interrupts now and until it is noticed.
  };
  // Each completion clears the slot.
  if (slot.is_connected()) slot.assign(cancel);
  const auto check = [job] { return job->check(); };
  INFINIEDGE_CO_TRY(co_await runtime::run_on(workers, check));
  INFINIEDGE_CO_TRY(admit(*job));
  if (slot.is_connected()) slot.assign(cancel);
  const auto execute = [job] { return job->execute(); };
  co_return co_await runtime::run_on(workers, execute);
}

Task<Result<QueryResult>> Query::run(QueryRequest request, base::Diagnostics* diagnostics) {
  if (active_ >= kRunning + kQueued) {
    co_return Error{Code::Exhausted, "2 queries run and 16 wait already; try again"};
  }
  const auto timeout = std::clamp<Micros>(request.timeout, Millis{1}, std::chrono::hours{24});
  if (!request.read_after.empty()) {
    INFINIEDGE_CO_TRY(
        co_await wait_visible(request.read_after, environment_.clock->now() + timeout));
  }
  auto job = std::make_shared<Job>();
  job->request = std::move(request);
  job->snapshot = environment_.snapshot();
  job->known.tables = names(*job->snapshot);
  job->duckdb = environment_.duckdb;
  job->loader = environment_.load_ieb;
  job->max_bytes = environment_.max_bytes;
  job->started = SteadyClock::now();
  job->deadline = job->started + timeout;

  const auto watchdog = std::make_shared<Watchdog>(environment_.executor);
  watchdog->expire = [job] {
    job->late = job->late || !job->cancelled;
    job->interrupt();
  };
  watchdog->start(job->deadline);
  auto result = co_await run_job(job, watchdog);
  if (diagnostics != nullptr && job->diagnosed) diagnostics->push_back(job->diagnostic);
  co_return result;
}

}  // namespace infiniedge::store
