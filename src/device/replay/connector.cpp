// SPDX-License-Identifier: Apache-2.0
#include "device/replay/connector.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/suggest.hpp"
#include "device/options.hpp"
#include "device/timestamp.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr std::size_t kBlockRows = 512;
constexpr std::size_t kBlockBytes = 4U << 20;

std::size_t bytes_of(const Record& record) {
  std::size_t out = record.fields.size() * sizeof(Value);
  for (const auto& field : record.fields) {
    if (const auto* text = std::get_if<std::string>(&field)) out += text->size();
  }
  return out;
}

double read_speed(OptionReader& options) {
  const auto text = options.text("speed");
  if (text == "real") return 1;
  if (text == "max") return 0;
  double speed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (error != std::errc{} || end != text.data() + text.size() ||
      !(speed >= 1e-3 && speed <= 1e9)) {
    options.fail("speed",
                 fmt::format("is \"{}\": write real, max, or a number from 0.001 on", text));
  }
  return speed;
}

}  // namespace

Result<Connector::Plan> Connector::read_plan(const DeviceSpec& device) {
  OptionReader options(kSpec.options, device.options, "device " + device.name);
  options.refuse_unknown();
  Plan plan;
  plan.file = device.address;
  if (plan.file.starts_with("file://")) plan.file.erase(0, 7);
  if (plan.file.starts_with("file:")) plan.file.erase(0, 5);
  plan.format = options.choice("format");
  plan.speed = read_speed(options);
  plan.loop = options.flag("loop");
  plan.period = options.has("period") ? options.duration("period") : device.every;
  plan.limit = options.integer("limit");
  const auto start = options.text("start");
  plan.start_now = start == "now";
  if (!plan.start_now && start != "recorded") {
    plan.start = parse_time(start);
    if (!plan.start) {
      options.fail("start", fmt::format("is \"{}\": write recorded, now, or a time such as "
                                        "2026-01-01T00:00:00Z",
                                        start));
    }
  }
  const auto delimiter = options.text("delimiter");
  if (delimiter != "tab" && (delimiter.size() != 1 || delimiter == "\"")) {
    options.fail("delimiter",
                 fmt::format("is \"{}\": it must be one character, or tab", delimiter));
  }
  plan.read = {.delimiter = delimiter == "tab" || delimiter.empty() ? '\t' : delimiter[0],
               .time_column = options.text("time"),
               .transposed = options.flag("transposed"),
               .chunk = options.duration("chunk"),
               .hop = options.duration("hop")};
  INFINIEDGE_TRY(options.fault());
  if (plan.file.empty()) {
    return Error{Code::Invalid, fmt::format("device {}: address names no file", device.name)};
  }
  if (plan.period <= Micros{0}) {
    return Error{Code::Invalid,
                 fmt::format("device {}: every: 0s has no meaning for a recording; set the "
                             "distance between its rows, e.g. 1s",
                             device.name)};
  }
  return plan;
}

Result<std::unique_ptr<infiniedge::Connector>> Connector::make(DeviceSpec device,
                                                               Environment environment) {
  auto plan = read_plan(device);
  if (!plan) return plan.error();
  return std::unique_ptr<infiniedge::Connector>(
      new Connector(std::move(device), environment, std::move(*plan)));
}

Connector::Connector(DeviceSpec device, Environment environment, Plan plan)
    : device_(std::move(device)),
      environment_(environment),
      plan_(std::move(plan)),
      rows_(device_, environment.latest),
      stop_(environment.executor),
      ended_(environment.executor),
      done_(environment.executor),
      scope_(environment.executor) {}

Task<Result<void>> Connector::open(Outlet& out) {
  auto begin = [this] { return open_file(); };
  INFINIEDGE_CO_TRY(co_await runtime::run_on(environment_.workers, std::move(begin)));
  began_ = environment_.clock.now();
  playing_ = true;
  scope_.spawn(play(out));
  co_return Result<void>{};
}

Task<Result<void>> Connector::failed() { co_return co_await ended_.wait(); }

Task<void> Connector::close() {
  stop_.request();
  if (playing_) (void)co_await done_.wait();
  co_await scope_.close();
  ended_.set(Error{Code::Cancelled, "the recording was closed"});
}

Result<void> Connector::open_file() {
  auto reader = open_reader(plan_.file, plan_.format, plan_.read);
  if (!reader) return reader.error();
  reader_ = std::move(*reader);
  return bind();
}

Result<void> Connector::bind() {
  column_of_.clear();
  const auto& columns = reader_->columns();
  for (const auto& point : device_.points) {
    const auto at = std::ranges::find(columns, point.address);
    if (at == columns.end()) {
      const auto meant = base::suggest(point.address, columns);
      const auto shown = std::min<std::size_t>(columns.size(), 12);
      return Error{
          Code::Invalid,
          fmt::format(
              "{} has no column \"{}\" for point {}{}", plan_.file, point.address, point.name,
              meant ? fmt::format("; did you mean \"{}\"?", *meant)
                    : fmt::format(
                          "; it has {}{}",
                          fmt::join(columns.begin(),
                                    columns.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                          shown < columns.size() ? ", …" : ""))};
    }
    column_of_.push_back(static_cast<std::size_t>(at - columns.begin()));
  }
  return {};
}

/// Runs on a worker. Empty at the end.
Result<Connector::Block> Connector::read_block() {
  Block block;
  std::size_t bytes = 0;
  while (block.size() < kBlockRows && bytes < kBlockBytes) {
    auto record = reader_->next();
    if (!record) return record.error();
    if (!*record) break;
    bytes += bytes_of(**record);
    block.push_back(std::move(**record));
  }
  return block;
}

Task<void> Connector::play(Outlet& out) {
  Result<void> result;
  try {
    do {
      result = co_await play_file(out);
      if (!result || !plan_.loop || in_round_ == 0) break;
      next_round();
      auto again = [this] { return open_file(); };
      result = co_await runtime::run_on(environment_.workers, std::move(again));
    } while (result && !stop_.requested());
    if (auto flushed = co_await flush(out); result && !flushed) result = std::move(flushed);
  } catch (const std::exception& e) {
    result = Error{Code::Internal, fmt::format("replay failed: {}", e.what())};
  }
  if (!result) {
    ended_.set(std::move(result));
  } else if (!stop_.requested()) {
    runtime::log(runtime::Level::Info, "device.replay",
                 fmt::format("the recording has ended after {} rows", played_),
                 {{"resource", "device/" + device_.name}});
  }
  done_.set({});
}

/// One pass. Returns early, without error, when asked to stop or at the limit.
Task<Result<void>> Connector::play_file(Outlet& out) {
  while (!stop_.requested()) {
    auto read = [this] { return read_block(); };
    auto block = co_await runtime::run_on(environment_.workers, std::move(read));
    if (!block) co_return block.error();
    if (block->empty()) co_return Result<void>{};
    for (auto& record : *block) {
      if (plan_.limit > 0 && played_ == plan_.limit) {
        plan_.loop = false;
        co_return Result<void>{};
      }
      INFINIEDGE_CO_TRY(co_await play_record(out, std::move(record)));
      if (stop_.requested()) co_return Result<void>{};
    }
    if (plan_.speed == 0) INFINIEDGE_CO_TRY(co_await flush(out));
  }
  co_return Result<void>{};
}

Task<Result<void>> Connector::play_record(Outlet& out, Record record) {
  const auto ts = time_of(record);
  if (!first_) first_ = ts;
  if (!round_first_) round_first_ = ts;
  if (last_) gap_ = std::max(Micros{0}, ts - *last_);
  last_ = ts;
  if (plan_.speed > 0) {
    const double wait = static_cast<double>((ts - *first_).count()) / plan_.speed;
    const auto due = began_ + Micros{std::llround(wait)};
    if (due > environment_.clock.now()) {
      INFINIEDGE_CO_TRY(co_await flush(out));
      if (!co_await stop_.sleep_until(environment_.clock, due)) co_return Result<void>{};
    }
  }
  std::vector<Cell> cells;
  cells.reserve(column_of_.size());
  for (const auto column : column_of_) cells.push_back({record.fields[column]});
  rows_.add(ts, std::move(cells));
  ++in_round_;
  ++played_;
  if (rows_.rows() >= kBlockRows || rows_.bytes() >= kBlockBytes) co_return co_await flush(out);
  co_return Result<void>{};
}

Task<Result<void>> Connector::flush(Outlet& out) {
  if (rows_.rows() == 0) co_return Result<void>{};
  auto batch = rows_.take();
  co_return co_await out.push(std::move(batch));
}

/// Recorded times are moved as a whole; rows without any follow each other by the period.
Timestamp Connector::time_of(const Record& record) {
  if (record.time) {
    if (!shift_) {
      const auto start = plan_.start_now ? environment_.clock.wall() : plan_.start;
      shift_ = start ? *start - *record.time : Micros{0};
    }
    return *record.time + *shift_;
  }
  if (!base_) base_ = plan_.start ? *plan_.start : environment_.clock.wall();
  return *base_ + record.since_start.value_or(in_round_ * plan_.period);
}

/// Times of the next pass go on where this one ended. `first_` stays the start of all passes:
/// waiting is counted from there.
void Connector::next_round() {
  const auto next = *last_ + (gap_ > Micros{0} ? gap_ : plan_.period);
  if (shift_) *shift_ += next - *round_first_;
  if (base_) base_ = next;
  round_first_.reset();
  in_round_ = 0;
}

}  // namespace infiniedge::device::replay
