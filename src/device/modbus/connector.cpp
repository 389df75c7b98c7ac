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
      poller_(environment, device_, *this) {}

Result<std::unique_ptr<infiniedge::Connector>> Connector::make(DeviceSpec device,
                                                               Environment environment) {
  auto endpoint = read_endpoint(device);
  if (!endpoint) return endpoint.error();
  INFINIEDGE_TRY(Poller::check_periods(device, "Modbus"));
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
  poller_.start(out);
  co_return Result<void>{};
}

Task<Result<void>> Connector::failed() { co_return co_await poller_.failed(); }

Task<void> Connector::close() {
  client_.close();
  co_await poller_.close();
}

Task<Result<std::vector<PointValue>>> Connector::read(std::vector<std::string> points) {
  co_return co_await poller_.read(std::move(points));
}

Task<Result<void>> Connector::read_points(std::vector<std::size_t> points, Reading& reading) {
  std::vector<Item> items;
  for (const auto point : points) items.push_back(registers_[point].item);
  auto& cells = reading.cells;
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

}  // namespace infiniedge::device::modbus
