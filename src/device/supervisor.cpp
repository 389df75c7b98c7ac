// SPDX-License-Identifier: Apache-2.0
#include "device/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cmath>

#include "base/suggest.hpp"
#include "device/write_rule.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device {
namespace {

namespace asio = boost::asio;

constexpr Micros kFirstDelay{Millis{500}};
constexpr Micros kLastDelay{Seconds{30}};
constexpr Micros kHealthy{Seconds{60}};
constexpr double kJitter = 0.2;
constexpr double kRateSpan = 5;  ///< Seconds in which a burst's share of the rate falls to 1/e.

double seconds(Micros span) { return std::chrono::duration<double>(span).count(); }

bool retryable(Code code) { return code == Code::Unavailable || code == Code::Timeout; }

}  // namespace

/// Keeps stop() waiting while a read or write is under way.
struct Supervisor::Call {
  explicit Call(Supervisor& supervisor) : supervisor_(supervisor) { ++supervisor_.calls_; }
  ~Call() {
    --supervisor_.calls_;
    supervisor_.idle_.notify();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Supervisor& supervisor_;
};

Supervisor::Supervisor(std::string connector, DeviceSpec device, const Registry& registry,
                       Environment environment, Outlet& sink)
    : connector_name_(std::move(connector)),
      device_(std::move(device)),
      registry_(registry),
      environment_(environment),
      sink_(sink),
      latest_(device_.points.size()),
      samples_(environment.metrics.counter("infiniedge_device_samples_total",
                                           "Rows read from the device.",
                                           {{"device", device_.name}})),
      bad_samples_(environment.metrics.counter("infiniedge_device_bad_samples_total",
                                               "Rows of bad quality read from the device.",
                                               {{"device", device_.name}})),
      restarts_(environment.metrics.counter("infiniedge_device_restarts_total",
                                            "Times the feed was opened again after a failure.",
                                            {{"device", device_.name}})),
      idle_(environment.executor),
      scope_(environment.executor) {
  environment_.latest = &latest_;
  condition(false, "Stopped", "not started");
}

Supervisor::~Supervisor() = default;

void Supervisor::start() { scope_.spawn(run()); }

Task<void> Supervisor::stop() {
  co_await scope_.close();
  // The connector is closed, so calls under way end soon.
  while (calls_ > 0) co_await idle_.wait();
  condition(false, "Stopped", "stopped");
}

Task<void> Supervisor::run() {
  // Cancellation is looked at between steps: closing the connector must not be cut short.
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!scope_.cancelled()) {
    const auto ended = co_await attempt();
    if (scope_.cancelled()) break;
    const Error error =
        ended ? Error{Code::Internal, "the feed ended without a reason"} : ended.error();
    if (!retryable(error.code())) {
      report(error, false);
      co_return;
    }
    report(error, true);
    if (!co_await back_off()) break;
    ++status_.restarts;
    restarts_.add();
  }
}

/// One life of a connector. Returns why it ended.
Task<Result<void>> Supervisor::attempt() {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  condition(false, "Connecting", "connecting to " + device_.address);
  up_since_.reset();
  auto made = registry_.make(connector_name_, device_, environment_);
  if (!made) co_return made.error();
  const std::shared_ptr<Connector> connector = std::move(*made);
  Result<void> ended;
  try {
    ended = co_await open_and_watch(connector);
  } catch (const std::exception& e) {
    ended = Error{Code::Internal,
                  fmt::format("the {} connector failed: {}", connector_name_, e.what())};
  }
  live_.reset();
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await connector->close();
  } catch (const std::exception& e) {
    ended = Error{Code::Internal,
                  fmt::format("the {} connector failed to close: {}", connector_name_, e.what())};
  }
  latest_.lost();
  co_return ended;
}

Task<Result<void>> Supervisor::open_and_watch(std::shared_ptr<Connector> connector) {
  INFINIEDGE_CO_TRY(co_await connector->open(*this));
  live_ = connector;
  state({});
  runtime::log(runtime::Level::Info, "device", "connected",
               {{"resource", "device/" + device_.name}});
  co_return co_await connector->failed();
}

Task<bool> Supervisor::back_off() {
  const bool was_healthy = up_since_ && environment_.clock.now() - *up_since_ >= kHealthy;
  delay_ = delay_ == Micros{0} || was_healthy ? kFirstDelay : std::min(2 * delay_, kLastDelay);
  const double factor = 1 + kJitter * (2 * environment_.entropy.unit() - 1);
  const Micros pause{std::llround(static_cast<double>(delay_.count()) * factor)};
  status_.message += fmt::format("; next try in {:.1f} s", seconds(pause));
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  // stop() may have come while cancellation was off.
  if (scope_.cancelled()) co_return false;
  co_return (co_await environment_.clock.sleep_for(pause)).has_value();
}

void Supervisor::condition(bool ready, std::string reason, std::string message) {
  status_.ready = ready;
  status_.reason = std::move(reason);
  status_.message = std::move(message);
}

void Supervisor::report(const Error& error, bool retry) {
  condition(false, std::string{to_string(error.code())}, error.message());
  for (const auto* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    status_.message += ": " + cause->message();
  }
  sink_.state(error);
  runtime::log(retry ? runtime::Level::Warning : runtime::Level::Error, "device",
               retry ? "the feed failed; it will be opened again" : "the feed has stopped",
               {{"resource", "device/" + device_.name},
                {"code", std::string{to_string(error.code())}},
                {"error", status_.message}});
}

Task<Result<void>> Supervisor::push(Batch batch) {
  const auto rows = batch.rows();
  if (rows == 0) co_return Result<void>{};
  const auto bad = static_cast<std::uint64_t>(std::ranges::count(batch.quality, Quality::Bad));
  samples_.add(rows);
  bad_samples_.add(bad);
  status_.samples += rows;
  status_.bad += bad;
  status_.last = from_us(batch.ts.back());
  rate_ = decayed_rate() + static_cast<double>(rows) / kRateSpan;
  rate_at_ = environment_.clock.now();
  auto taken = co_await sink_.push(std::move(batch));
  if (taken || taken.error().code() == Code::Cancelled) co_return taken;
  // Not the device's fault, and it may pass (a full disk): the feed is retried, not stopped.
  co_return Error{Code::Unavailable, "rows cannot be taken", std::move(taken).error()};
}

void Supervisor::state(Result<void> state) {
  if (!state) {
    condition(false, std::string{to_string(state.error().code())}, state.error().message());
  } else {
    if (!up_since_) up_since_ = environment_.clock.now();
    condition(true, "Connected", device_.address);
  }
  sink_.state(std::move(state));
}

double Supervisor::decayed_rate() const {
  return rate_ * std::exp(-seconds(environment_.clock.now() - rate_at_) / kRateSpan);
}

Status Supervisor::status() const {
  auto out = status_;
  out.rate = decayed_rate();
  for (std::size_t i = 0; i < device_.points.size(); ++i) {
    const auto& entry = latest_.entries()[i];
    const auto& point = device_.points[i];
    out.points.push_back({point.name, to_json(entry.value, point.type), entry.quality,
                          std::string{entry.reason}, entry.time});
  }
  return out;
}

Result<const Point*> Supervisor::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& point : device_.points) {
    if (point.name == name) return &point;
    names.push_back(point.name);
  }
  const auto meant = base::suggest(name, names);
  return Error{Code::NotFound,
               fmt::format("device {} has no point \"{}\"{}", device_.name, name,
                           meant ? fmt::format("; did you mean \"{}\"?", *meant) : "")};
}

Result<std::shared_ptr<Connector>> Supervisor::connected() const {
  if (live_) return live_;
  return Error{Code::Unavailable,
               fmt::format("device {} is not connected: {}", device_.name, status_.message)};
}

Task<Result<std::vector<PointValue>>> Supervisor::read(std::vector<std::string> points) {
  for (const auto& name : points) INFINIEDGE_CO_TRY(find(name));
  if (points.empty()) {
    for (const auto& point : device_.points) points.push_back(point.name);
  }
  const auto connector = connected();
  if (!connector) co_return connector.error();
  const Call call(*this);
  co_return co_await (*connector)->read(std::move(points));
}

Task<Result<void>> Supervisor::write(std::vector<PointWrite> writes) {
  for (const auto& write : writes) {
    const auto point = find(write.point);
    if (!point) co_return point.error();
    INFINIEDGE_CO_TRY(check_write(device_, **point, write.value));
  }
  const auto connector = connected();
  if (!connector) co_return connector.error();
  const Call call(*this);
  co_return co_await (*connector)->write(std::move(writes));
}

}  // namespace infiniedge::device
