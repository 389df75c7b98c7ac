// SPDX-License-Identifier: Apache-2.0
#include "device/poller.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace infiniedge::device {
namespace {

Micros period_of(const DeviceSpec& device, const Point& point) {
  return point.every > Micros{0} ? point.every : device.every;
}

}  // namespace

Poller::Poller(Environment environment, const DeviceSpec& device, PointSource& source)
    : environment_(environment),
      device_(device),
      source_(source),
      rows_(device, environment.latest),
      stop_(environment.executor),
      ended_(environment.executor),
      idle_(environment.executor),
      scope_(environment.executor) {}

Result<void> Poller::check_periods(const DeviceSpec& device, std::string_view protocol) {
  for (const auto& point : device.points) {
    if (period_of(device, point) > Micros{0}) continue;
    return Error{Code::Invalid,
                 fmt::format("point {} of device {}: every: 0s means on arrival, but {} is polled; "
                             "give a period such as 1s",
                             point.name, device.name, protocol)};
  }
  return {};
}

void Poller::start(Outlet& out) {
  std::map<Micros, std::vector<std::size_t>> periods;
  for (std::size_t i = 0; i < device_.points.size(); ++i) {
    periods[period_of(device_, device_.points[i])].push_back(i);
  }
  for (auto& [period, points] : periods) {
    ++polling_;
    scope_.spawn(poll(period, std::move(points), out));
  }
}

Task<void> Poller::close() {
  stop_.request();
  while (polling_ > 0) co_await idle_.wait();
  co_await scope_.close();
  ended_.set(Error{Code::Cancelled, "the device was closed"});
}

/// A slow device skips rounds: they do not pile up behind each other.
Task<void> Poller::poll(Micros period, std::vector<std::size_t> points, Outlet& out) {
  auto next = environment_.clock.now();
  Result<void> result;
  try {
    while (result && co_await stop_.sleep_until(environment_.clock, next)) {
      result = co_await round(points, out);
      next = std::max(next + period, environment_.clock.now());
    }
  } catch (const std::exception& e) {
    result = Error{Code::Internal, fmt::format("polling failed: {}", e.what())};
  }
  if (!result) ended_.set(std::move(result));
  --polling_;
  idle_.notify();
}

Task<Result<void>> Poller::round(std::vector<std::size_t> points, Outlet& out) {
  auto reading = empty_reading();
  const auto asked = environment_.clock.wall();
  INFINIEDGE_CO_TRY(co_await source_.read_points(std::move(points), reading));
  // Taken at once: rounds of other periods share the builder.
  if (!rows_.add(reading.time.value_or(asked), std::move(reading.cells), reading.floor)) {
    co_return Result<void>{};
  }
  auto batch = rows_.take();
  co_return co_await out.push(std::move(batch));
}

Reading Poller::empty_reading() const {
  Reading out;
  out.cells.resize(device_.points.size());
  return out;
}

Result<std::size_t> Poller::find(std::string_view name) const {
  const auto at = std::ranges::find(device_.points, name, &Point::name);
  if (at != device_.points.end()) return static_cast<std::size_t>(at - device_.points.begin());
  return Error{Code::NotFound, fmt::format("device {} has no point {}", device_.name, name)};
}

Task<Result<std::vector<PointValue>>> Poller::read(std::vector<std::string> names) {
  std::vector<std::size_t> points;
  for (const auto& name : names) {
    const auto point = find(name);
    if (!point) co_return point.error();
    points.push_back(*point);
  }
  auto reading = empty_reading();
  const auto asked = environment_.clock.wall();
  INFINIEDGE_CO_TRY(co_await source_.read_points(points, reading));
  const auto time = reading.time.value_or(asked);
  std::vector<PointValue> out;
  for (const auto i : points) {
    const auto& point = device_.points[i];
    const auto cell = convert(point, reading.cells[i]);
    if (environment_.latest != nullptr) environment_.latest->update(i, cell, time);
    const bool bad = cell.quality == Quality::Bad;
    out.push_back(
        {point.name, bad ? std::string{} : to_json(cell.value, point.type), cell.quality, time});
  }
  co_return out;
}

}  // namespace infiniedge::device
