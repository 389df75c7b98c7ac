// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/environment.hpp"
#include "device/modbus/client.hpp"
#include "device/modbus/frame.hpp"
#include "device/modbus/plan.hpp"
#include "device/modbus/registers.hpp"
#include "device/modbus/spec.hpp"
#include "device/options.hpp"
#include "device/poller.hpp"
#include "infiniedge/connector.hpp"

namespace infiniedge::device::modbus {

/// Coils and registers of a Modbus TCP device, polled; points of one period are one row.
///
/// Flow:    device -> Client -> [Connector] -> Poller -> Outlet
/// Thread:  shard-bound.
/// Owner:   device::Supervisor.
/// Errors:  those of Client; a device that answers nothing in a whole round is a Timeout. A
///          refused point is null and Bad with its reason; the others go on.
class Connector final : public infiniedge::Connector, private PointSource {
 public:
  static constexpr Spec kSpec = kModbusSpec;
  static Result<std::unique_ptr<infiniedge::Connector>> make(DeviceSpec device,
                                                             Environment environment);

  Task<Result<void>> open(Outlet& out) override;
  Task<Result<void>> failed() override;
  Task<void> close() override;
  Task<Result<std::vector<PointValue>>> read(std::vector<std::string> points) override;
  Task<Result<void>> write(std::vector<PointWrite> writes) override;

 private:
  struct Register {
    Item item;
    Order order = Order::ABCD;
    std::size_t length = 0;
  };
  using Cells = std::vector<Cell>;

  Connector(DeviceSpec device, Environment environment, Client::Options client,
            std::uint16_t max_gap, std::vector<Register> registers);
  static Result<Register> read_point(const Point& point, std::size_t index,
                                     const std::string& where, OptionReader& device);

  Task<Result<void>> read_points(std::vector<std::size_t> points, Reading& reading) override;
  Task<Result<bool>> read_group(Read read, Cells& cells);
  Task<Result<bool>> read_apart(Read read, Cells& cells);
  Cell cell_of(const Read& read, const Item& item, std::span<const std::uint16_t> values) const;

  std::size_t run_of_coils(const std::vector<PointWrite>& writes, std::size_t first) const;
  Task<Result<void>> write_coil_run(std::vector<PointWrite> writes);
  Task<Result<void>> write_one(std::size_t point, std::string value);
  Task<Result<void>> write_bit(Address address, bool on);
  Task<Result<void>> confirm(std::string pdu, std::string where);
  Task<Result<std::optional<Exception>>> send(std::string pdu);

  DeviceSpec device_;
  Environment environment_;
  Client client_;
  Planner planner_;
  std::vector<Register> registers_;  ///< One a point.
  bool can_mask_ = true;             ///< Until the device answers 01 to function 22.
  Poller poller_;
};

}  // namespace infiniedge::device::modbus
