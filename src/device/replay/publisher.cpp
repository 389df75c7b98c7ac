// SPDX-License-Identifier: Apache-2.0
#include "device/replay/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr Micros kAnswerWithin{Seconds{10}};
constexpr Micros kRetryAfter{Millis{250}};

bool is_transient(const Error& error) {
  return error.code() == Code::Unavailable || error.code() == Code::Timeout;
}

}  // namespace

PlugFleet::PlugFleet(Environment environment, Options options)
    : environment_(environment),
      options_(std::move(options)),
      stop_(environment.executor),
      done_(environment.executor) {}

Result<void> PlugFleet::load() {
  if (options_.plan.plugs < 2 || options_.plan.between <= Micros{0} || !(options_.speed > 0)) {
    return Error{Code::Invalid,
                 "a fleet needs two plugs or more, a pause between switch-ons, and "
                 "a speed above 0"};
  }
  auto recordings = read_recordings(options_.recordings, options_.rated);
  if (!recordings) return recordings.error();
  recordings_ = std::move(*recordings);
  for (const auto& recording : recordings_) labels_.push_back(recording.label);
  plan_ = plan_plugs(recordings_, options_.plan);
  plugs_.resize(static_cast<std::size_t>(options_.plan.plugs));
  return {};
}

Task<Result<void>> PlugFleet::run() {
  running_ = true;
  Result<void> result;
  try {
    auto read = [this] { return load(); };
    result = co_await runtime::run_on(environment_.workers, std::move(read));
    progress_.total = plan_.size();
    if (result) result = co_await play();
  } catch (const std::exception& e) {
    result = Error{Code::Internal, fmt::format("the plugs failed: {}", e.what())};
  }
  if (session_) co_await session_->close();
  progress_.done = result.has_value() && progress_.published == progress_.total;
  done_.set({});
  co_return result;
}

Task<void> PlugFleet::stop() {
  stop_.request();
  if (running_) (void)co_await done_.wait();
}

/// Switch-ons and power reports in one order of time; at the same moment, switch-ons first.
Task<Result<void>> PlugFleet::play() {
  INFINIEDGE_CO_TRY(co_await connect());
  began_ = environment_.clock.now();
  start_ = environment_.clock.wall();
  Micros end{Seconds{1}};
  for (const auto& event : plan_) end = std::max(end, event.until + Seconds{1});
  std::size_t next = 0;
  std::int64_t tick = 0;
  while (!stop_.requested()) {
    // Plugs report one after another, so that a second's messages do not come in one burst.
    const Micros tick_at{tick * 1'000'000 / options_.plan.plugs};
    const bool switching = next < plan_.size() && plan_[next].at <= tick_at;
    if (!switching && tick_at > end) break;
    if (!co_await wait_until(switching ? plan_[next].at : tick_at)) break;
    if (switching) {
      INFINIEDGE_CO_TRY(co_await switch_on(plan_[next++]));
    } else {
      INFINIEDGE_CO_TRY(
          co_await report_power(tick_at, static_cast<int>(tick % options_.plan.plugs) + 1));
      ++tick;
    }
  }
  co_return Result<void>{};
}

Task<bool> PlugFleet::wait_until(Micros at) {
  const auto due = began_ + Micros{std::llround(static_cast<double>(at.count()) / options_.speed)};
  co_return co_await stop_.sleep_until(environment_.clock, due);
}

std::int64_t PlugFleet::time_of(Micros at) const { return to_us(start_ + at); }

Task<Result<void>> PlugFleet::switch_on(const SwitchOn& event) {
  const auto& recording = recordings_[event.which];
  std::string payload;
  base::put(payload, time_of(event.at));
  base::put(payload, recording.index);
  payload += recording.samples;
  plugs_[static_cast<std::size_t>(event.plug - 1)] = {event.until, recording.watts};
  INFINIEDGE_CO_TRY(
      co_await publish(fmt::format("plugs/{}/switch-on", event.plug), std::move(payload)));
  if (!stop_.requested()) ++progress_.published;
  co_return Result<void>{};
}

Task<Result<void>> PlugFleet::report_power(Micros at, int plug) {
  const auto& state = plugs_[static_cast<std::size_t>(plug - 1)];
  const double watts = at < state.until ? state.watts : 0;
  auto payload = fmt::format(R"({{"time": {}, "power": {:.1f}}})", time_of(at), watts);
  co_return co_await publish(fmt::format("plugs/{}/power", plug), std::move(payload));
}

/// Until the broker has it. Giving up is for stop() and for errors that stay.
Task<Result<void>> PlugFleet::publish(std::string topic, std::string payload) {
  while (!stop_.requested()) {
    auto sent = co_await session_->publish(topic, payload, 1, false, kAnswerWithin);
    if (sent) {
      ++progress_.messages;
      co_return Result<void>{};
    }
    if (!is_transient(sent.error())) co_return sent;
    runtime::log(runtime::Level::Warning, "device.replay",
                 "the broker is away; the plugs will send again",
                 {{"error", sent.error().describe()}});
    INFINIEDGE_CO_TRY(co_await connect());
  }
  co_return Result<void>{};
}

Task<Result<void>> PlugFleet::connect() {
  auto broker = Endpoint::parse(options_.address);
  if (!broker) co_return broker.error();
  if (broker->port == 0) broker->port = broker->scheme == "mqtts" ? 8883 : 1883;
  mqtt::Login login{.broker = std::move(*broker),
                    .client_id = fmt::format(
                        "plugs-{:08x}", static_cast<std::uint32_t>(environment_.entropy.u64())),
                    .username = options_.username,
                    .password = options_.password,
                    .ca = options_.ca};
  while (!stop_.requested()) {
    if (session_) co_await session_->close();
    session_ = std::make_unique<mqtt::Session>(environment_, login, nullptr);
    auto connected = co_await session_->connect(kAnswerWithin);
    if (connected || !is_transient(connected.error())) co_return connected;
    if (!co_await stop_.sleep_until(environment_.clock, environment_.clock.now() + kRetryAfter)) {
      break;
    }
  }
  co_return Result<void>{};
}

}  // namespace infiniedge::device::replay
