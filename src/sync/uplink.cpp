// SPDX-License-Identifier: Apache-2.0
#include "sync/uplink.hpp"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <cmath>

#include "runtime/log.hpp"

namespace infiniedge::sync {
namespace {

namespace asio = boost::asio;

constexpr double kFirstDelay = 0.5, kLongestDelay = 60;  // Seconds.
constexpr std::size_t kRateSeconds = 10;
/// A row on the wire before any was sent.
constexpr double kGuessedRowBytes = 16;

/// Names the session while it lives, however its coroutine ends.
struct Running {
  Running(Session*& at, Session* session) : slot(at) { slot = session; }
  ~Running() { slot = nullptr; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Session*& slot;
};

bool needs_a_person(Code code) {
  return code == Code::Denied || code == Code::Invalid || code == Code::Unsupported;
}

}  // namespace

Uplink::Uplink(boost::asio::any_io_executor executor, std::unique_ptr<Outbox> outbox,
               std::unique_ptr<Dialer> dialer, Clock& clock, runtime::Entropy& entropy,
               runtime::Metrics& metrics, UplinkOptions options)
    : executor_(executor),
      outbox_(std::move(outbox)),
      dialer_(std::move(dialer)),
      clock_(clock),
      entropy_(entropy),
      options_(std::move(options)),
      since_(clock.wall()),
      drain_(metrics.gauge("infiniedge_sync_drain_seconds",
                           "Time until the backlog is delivered at the present rate.",
                           {{"uplink", options_.name}})),
      gap_rows_(metrics.counter("infiniedge_sync_gap_rows_total", "Rows reported lost to the hub.",
                                {{"uplink", options_.name}})),
      reconnects_(metrics.counter("infiniedge_sync_reconnects_total",
                                  "Connections to the hub that failed and are tried again.",
                                  {{"uplink", options_.name}})),
      scope_(executor) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const runtime::Labels labels{
        {"uplink", options_.name},
        {"lane", std::string{record::to_string(static_cast<record::Lane>(lane))}}};
    gauges_[lane].rows = &metrics.gauge("infiniedge_sync_backlog_rows",
                                        "Rows that the hub has not acknowledged.", labels);
    gauges_[lane].bytes = &metrics.gauge("infiniedge_sync_backlog_bytes",
                                         "Estimated size of these rows on the wire.", labels);
  }
}

Uplink::~Uplink() = default;

void Uplink::start() {
  subscription_ = outbox_->on_durable([this](store::StreamId stream) {
    for (auto& connection : connections_) {
      if (connection.session != nullptr) connection.session->durable(stream);
    }
  });
  for (std::size_t i = 0; i < kConnections; ++i) scope_.spawn(keep(i));
  scope_.spawn(tick());
}

Task<void> Uplink::stop() {
  stopping_ = true;
  subscription_.reset();
  for (auto& connection : connections_) {
    if (connection.session != nullptr) connection.session->stop();
  }
  co_await scope_.close();
}

Task<void> Uplink::keep(std::size_t index) {
  // Winding up is by `stopping_`: a cancelled wait returns, and then the loop ends.
  co_await asio::this_coro::throw_if_cancelled(false);
  Connection& connection = connections_[index];
  while (!stopping_) {
    const Error reason = co_await connect(index);
    // The session's scope has shut cancellation off for all of this coroutine when it closed.
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (stopping_) break;
    if (reason.code() == Code::Stale) continue;  // The epoch rose: greet again at once.
    failed(connection, reason);
    const Micros wait = delay(connection, reason.code());
    ++connection.attempts;
    if (!co_await clock_.sleep_for(wait)) break;
  }
}

Task<Error> Uplink::connect(std::size_t index) {
  auto link = co_await dialer_->dial();
  if (!link) co_return std::move(link).error();
  if (stopping_) {
    (*link)->close();
    co_return Error{Code::Cancelled, "the uplink stops"};
  }
  Session::Options options{.uplink = options_.name,
                           .node = options_.node,
                           .first_lane = index == 0 ? record::Lane::Alarm : record::Lane::Normal,
                           .last_lane = index == 0 ? record::Lane::High : record::Lane::Bulk,
                           .ordered = options_.order != "live_first"};
  Session session(executor_, *outbox_, clock_, arbiter_, tally_, std::move(options));
  Connection& connection = connections_[index];
  const Running running{connection.session, &session};
  auto reason = co_await session.run(std::move(*link));
  if (session.welcomed()) connection.attempts = 0;
  co_return reason;
}

void Uplink::failed(Connection& connection, const Error& reason) {
  connection.failed = true;
  last_error_ = reason.describe();
  reconnects_.add();
  runtime::log(runtime::Level::Warning, "sync", "uplink is down: " + last_error_,
               {{"resource", options_.name}, {"code", std::string{to_string(reason.code())}}});
}

Micros Uplink::delay(const Connection& connection, Code code) {
  const double bound =
      std::min(kLongestDelay, kFirstDelay * std::exp2(std::min(connection.attempts, 16U)));
  const double seconds =
      needs_a_person(code) ? kLongestDelay * (1 + entropy_.unit()) : bound * entropy_.unit();
  return Micros{static_cast<std::int64_t>(seconds * 1e6)};
}

Task<void> Uplink::tick() {
  while (!stopping_) {
    publish();
    if (!co_await clock_.sleep_for(Seconds{1})) co_return;
  }
}

void Uplink::publish() {
  acknowledged_.push_back(tally_.acknowledged_rows);
  if (acknowledged_.size() > kRateSeconds + 1) acknowledged_.pop_front();
  for (auto& connection : connections_) {
    if (connection.session != nullptr && connection.session->welcomed()) connection.failed = false;
  }
  if (const auto now = link(); now != shown_) {
    shown_ = now;
    since_ = clock_.wall();
    if (now == LinkState::Connected) last_error_.clear();
  }
  const auto rows = backlog();
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    gauges_[lane].rows->set(static_cast<double>(rows[lane]));
    gauges_[lane].bytes->set(static_cast<double>(rows[lane]) * bytes_per_row());
  }
  const auto current = state();
  drain_.set(current.backlog_rows == 0 ? 0
             : current.rate_rows > 0 ? static_cast<double>(current.backlog_rows) / current.rate_rows
                                     : INFINITY);
  gap_rows_.add(tally_.gap_rows - published_gaps_);
  published_gaps_ = tally_.gap_rows;
}

LinkState Uplink::link() const {
  std::size_t up = 0, failed = 0;
  for (const auto& connection : connections_) {
    if (connection.session != nullptr && connection.session->welcomed()) {
      ++up;
    } else if (connection.failed) {
      ++failed;
    }
  }
  if (up == kConnections) return LinkState::Connected;
  return failed == kConnections ? LinkState::Down : LinkState::Connecting;
}

std::array<std::uint64_t, kLanes> Uplink::backlog() const {
  std::array<std::uint64_t, kLanes> rows{};
  for (const auto& stream : outbox_->streams()) {
    const auto& wanted = stream.policy.uplinks;
    if (stream.origin != record::GatewayId{} ||
        std::find(wanted.begin(), wanted.end(), options_.name) == wanted.end()) {
      continue;
    }
    rows[static_cast<std::size_t>(stream.policy.lane)] +=
        outbox_->backlog(options_.name, stream.id).rows;
  }
  return rows;
}

double Uplink::bytes_per_row() const {
  if (tally_.sent_rows == 0) return kGuessedRowBytes;
  return static_cast<double>(tally_.sent_bytes) / static_cast<double>(tally_.sent_rows);
}

Uplink::State Uplink::state() const {
  State state{.link = link(),
              .acked_rows = tally_.acknowledged_rows,
              .gap_rows = tally_.gap_rows,
              .last_error = link() == LinkState::Connected ? "" : last_error_,
              .since = since_};
  for (const auto rows : backlog()) state.backlog_rows += rows;
  state.backlog_bytes =
      static_cast<std::uint64_t>(static_cast<double>(state.backlog_rows) * bytes_per_row());
  if (acknowledged_.size() > 1) {
    state.rate_rows = static_cast<double>(acknowledged_.back() - acknowledged_.front()) /
                      static_cast<double>(acknowledged_.size() - 1);
  }
  return state;
}

}  // namespace infiniedge::sync
