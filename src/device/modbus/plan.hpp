// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "device/modbus/address.hpp"

namespace infiniedge::device::modbus {

/// What one point needs: `width` bits or registers from its address.
struct Item {
  std::size_t point = 0;
  Address address;
  std::uint16_t width = 1;
};

/// One read that serves several points.
struct Read {
  Table table = Table::HoldingRegister;
  std::uint16_t offset = 0, count = 0;
  std::vector<Item> items;
};

/// Merges neighbouring addresses into few requests, and never again across an address that a
/// device has refused.
///
/// Thread: the device's shard.
/// Owner:  Connector.
class Planner {
 public:
  /// `max_gap`: unneeded addresses that a request may read along.
  explicit Planner(std::uint16_t max_gap) : max_gap_(max_gap) {}

  std::vector<Read> plan(std::vector<Item> items) const;

  /// The device answered 02 to a merged read: nobody knows which address it was, so no request
  /// bridges a gap of this one again.
  void refuse_gaps(const Read& read);
  /// The device answered 02 to this point alone: it is read alone from now on.
  void refuse(const Item& item);

 private:
  bool may_join(const Read& read, const Item& item) const;

  std::uint16_t max_gap_;
  std::array<std::set<std::uint32_t>, 4> refused_;  ///< By table.
};

}  // namespace infiniedge::device::modbus
