// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/connector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "device/modbus/frame.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::modbus {
namespace {

constexpr std::uint8_t kIllegalAddress = 2;

std::string_view reason_of(std::uint8_t exception) {
  if (exception <= 3) return kBadConfigurationError;
  return exception == 10 || exception == 11 ? kBadNoCommunication : kBadDeviceFailure;
}

Result<Endpoint> read_endpoint(const DeviceSpec& device) {
  auto endpoint = Endpoint::parse(device.address);
  if (!endpoint) return endpoint;
  if (endpoint->scheme != "tcp") {
    return Error{Code::Invalid, fmt::format("device {}: address \"{}\" must begin with tcp://",
                                            device.name, device.address)};
  }
  if (endpoint->port == 0) endpoint->port = 502;
  return endpoint;
}

}  // namespace

Connector::Connector(DeviceSpec device, Environment environment, Client::Options client,
                     std::uint16_t max_gap, std::vector<Register> registers)
    : device_(std::move(device)),
      environment_(environment),
      client_(environment, std::move(client)),
      planner_(max_gap),
      registers_(std::move(registers)),
      rows_(device_, environment.latest),
      stop_(environment.executor),
      ended_(environment.executor),
      idle_(environment.executor),
      scope_(environment.executor) {}

Result<std::unique_ptr<infiniedge::Connector>> Connector::make(DeviceSpec device,
                                                               Environment environment) {
  auto endpoint = read_endpoint(device);
  if (!endpoint) return endpoint.error();
  OptionReader options(kSpec.options, device.options, "device " + device.name);
  options.refuse_unknown();
  Client::Options client{.device = std::move(*endpoint),
                         .unit = static_cast<std::uint8_t>(options.integer("unit")),
                         .timeout = device.timeout,
                         .retries = static_cast<int>(options.integer("retries"))};
  const auto max_gap = static_cast<std::uint16_t>(options.integer("max_gap"));
  (void)options.choice("order");
  INFINIEDGE_TRY(options.fault());
  std::vector<Register> registers;
  for (const auto& point : device.points) {
    const auto where = fmt::format("point {} of device {}", point.name, device.name);
    const auto every = point.every > Micros{0} ? point.every : device.every;
    if (every <= Micros{0}) {
      return Error{Code::Invalid, where +
                                      ": every: 0s means on arrival, but Modbus is polled; "
                                      "give a period such as 1s"};
    }
    auto one = read_point(point, registers.size(), where, options);
    if (!one) return one.error();
    registers.push_back(*one);
  }
  return std::unique_ptr<infiniedge::Connector>(new Connector(
      std::move(device), environment, std::move(client), max_gap, std::move(registers)));
}

Result<Connector::Register> Connector::read_point(const Point& point, std::size_t index,
                                                  const std::string& where, OptionReader& device) {
  const auto wrong = [&](std::string_view why) {
    return Error{Code::Invalid, fmt::format("{}: {}", where, why)};
  };
  const auto address = Address::parse(point.address);
  if (!address) return wrong(address.error().message());
  OptionReader options(kSpec.point_options, point.options, where);
  options.refuse_unknown();
  auto order = options.choice("order");
  if (order.empty()) order = device.choice("order");
  Register out{.length =
                   static_cast<std::size_t>(std::max<std::int64_t>(1, options.integer("length")))};
  INFINIEDGE_TRY(options.fault());
  out.order = *parse_order(order);
  const bool bit = is_bits(address->table) || address->bit;
  const auto width = bit ? 1 : registers_of(point.type, out.length);
  if (width == 0) return wrong(fmt::format("Modbus has no type {}", point.type));
  if (bit && (point.type == "string" || point.type == "bytes")) {
    return wrong(fmt::format("a bit is not a {}", point.type));
  }
  if (address->offset + width > 65536) return wrong("the value would end beyond address 65535");
  if (point.write && !is_writable(address->table)) {
    return wrong("inputs cannot be written: only coils and holding registers can");
  }
  out.item = {index, *address, static_cast<std::uint16_t>(width)};
  return out;
}

Task<Result<void>> Connector::open(Outlet& out) {
  INFINIEDGE_CO_TRY(co_await client_.connect());
  for (auto& [period, items] : by_period()) {
    ++polling_;
    scope_.spawn(poll(period, std::move(items), out));
  }
  co_return Result<void>{};
}

Task<Result<void>> Connector::failed() { co_return co_await ended_.wait(); }

Task<void> Connector::close() {
  stop_.request();
  client_.close();
  while (polling_ > 0) co_await idle_.wait();
  co_await scope_.close();
  ended_.set(Error{Code::Cancelled, "the device was closed"});
}

std::map<Micros, std::vector<Item>> Connector::by_period() const {
  std::map<Micros, std::vector<Item>> out;
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    const auto own = device_.points[i].every;
    out[own > Micros{0} ? own : device_.every].push_back(registers_[i].item);
  }
  return out;
}

/// A slow device skips rounds: readings do not pile up behind each other.
Task<void> Connector::poll(Micros period, std::vector<Item> items, Outlet& out) {
  auto next = environment_.clock.now();
  Result<void> result;
  try {
    while (result && co_await stop_.sleep_until(environment_.clock, next)) {
      result = co_await poll_once(items, out);
      next = std::max(next + period, environment_.clock.now());
    }
  } catch (const std::exception& e) {
    result = Error{Code::Internal, fmt::format("polling failed: {}", e.what())};
  }
  if (!result) ended_.set(std::move(result));
  --polling_;
  idle_.notify();
}

Task<Result<void>> Connector::poll_once(std::vector<Item> items, Outlet& out) {
  const auto time = environment_.clock.wall();
  Cells cells(device_.points.size());
  INFINIEDGE_CO_TRY(co_await read_items(std::move(items), cells));
  if (!rows_.add(time, std::move(cells))) co_return Result<void>{};
  auto batch = rows_.take();
  co_return co_await out.push(std::move(batch));
}

/// Fills the items' cells. An error means that the link is gone or silent.
Task<Result<void>> Connector::read_items(std::vector<Item> items, Cells& cells) {
  std::size_t answered = 0;
  std::optional<Error> silence;
  auto reads = planner_.plan(std::move(items));
  for (auto& read : reads) {
    const auto members = read.items;
    auto answer = co_await read_group(std::move(read), cells);
    if (answer) {
      ++answered;
      continue;
    }
    if (answer.error().code() != Code::Timeout) co_return answer.error();
    silence = answer.error();
    for (const auto& item : members) cells[item.point] = Cell::bad(kBadTimeout);
  }
  if (silence && answered == 0) co_return std::move(*silence);
  co_return Result<void>{};
}

/// True: something came back, be it a refusal.
Task<Result<bool>> Connector::read_group(Read read, Cells& cells) {
  auto answer = co_await client_.request(read_request(read.table, read.offset, read.count));
  if (!answer) co_return answer.error();
  if (const auto refused = exception_of(*answer, read_function(read.table))) {
    const bool alone = read.items.size() == 1;
    if (refused->code == kIllegalAddress && !alone) co_return co_await read_apart(read, cells);
    if (refused->code == kIllegalAddress) planner_.refuse(read.items[0]);
    for (const auto& item : read.items) cells[item.point] = Cell::bad(reason_of(refused->code));
    runtime::log(runtime::Level::Warning, "device.modbus",
                 fmt::format("the device refuses {}: {}", read.items[0].address.text(),
                             exception_name(refused->code)),
                 {{"resource", "device/" + device_.name}});
    co_return true;
  }
  const auto values = parse_read(*answer, read.table, read.count);
  if (!values) {
    for (const auto& item : read.items) cells[item.point] = Cell::bad(kBadDecodingError);
    co_return true;
  }
  for (const auto& item : read.items) cells[item.point] = cell_of(read, item, *values);
  co_return true;
}

/// A merged read was refused: each point is asked for alone, now and, where that is refused,
/// from now on; the gaps that were read along are never crossed again.
Task<Result<bool>> Connector::read_apart(Read read, Cells& cells) {
  planner_.refuse_gaps(read);
  for (const auto& item : read.items) {
    Read one{read.table, item.address.offset, item.width, {item}};
    INFINIEDGE_CO_TRY(co_await read_group(std::move(one), cells));
  }
  co_return true;
}

Cell Connector::cell_of(const Read& read, const Item& item,
                        std::span<const std::uint16_t> values) const {
  const auto own = values.subspan(item.address.offset - read.offset, item.width);
  if (is_bits(read.table)) return {Value{own[0] != 0}};
  const auto& reg = registers_[item.point];
  if (item.address.bit) return {Value{(own[0] >> *item.address.bit & 1) != 0}};
  return {decode(own, device_.points[item.point].type, reg.order)};
}

Result<std::size_t> Connector::find(const std::string& point) const {
  const auto at = std::ranges::find(device_.points, point, &Point::name);
  if (at != device_.points.end()) return static_cast<std::size_t>(at - device_.points.begin());
  return Error{Code::NotFound, fmt::format("device {} has no point {}", device_.name, point)};
}

Task<Result<std::vector<PointValue>>> Connector::read(std::vector<std::string> points) {
  std::vector<Item> items;
  for (const auto& name : points) {
    const auto point = find(name);
    if (!point) co_return point.error();
    items.push_back(registers_[*point].item);
  }
  const auto time = environment_.clock.wall();
  Cells cells(device_.points.size());
  INFINIEDGE_CO_TRY(co_await read_items(items, cells));
  std::vector<PointValue> out;
  for (const auto& item : items) {
    const auto& point = device_.points[item.point];
    const auto cell = convert(point, cells[item.point]);
    if (environment_.latest != nullptr) environment_.latest->update(item.point, cell, time);
    const bool bad = cell.quality == Quality::Bad;
    out.push_back(
        {point.name, bad ? std::string{} : to_json(cell.value, point.type), cell.quality, time});
  }
  co_return out;
}

}  // namespace infiniedge::device::modbus
