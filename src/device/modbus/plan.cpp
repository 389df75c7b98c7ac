// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/plan.hpp"

#include <algorithm>

#include "device/modbus/frame.hpp"

namespace infiniedge::device::modbus {
namespace {

std::uint32_t end_of(const Item& item) { return item.address.offset + std::uint32_t{item.width}; }
std::uint32_t end_of(const Read& read) { return read.offset + std::uint32_t{read.count}; }

}  // namespace

bool Planner::may_join(const Read& read, const Item& item) const {
  if (read.table != item.address.table || item.address.offset > end_of(read) + max_gap_) {
    return false;
  }
  const auto end = std::max(end_of(read), end_of(item));
  if (end - read.offset > (is_bits(read.table) ? kMaxReadBits : kMaxReadRegisters)) return false;
  const auto& refused = refused_[static_cast<std::size_t>(read.table)];
  const auto first = refused.lower_bound(read.offset);
  return first == refused.end() || *first >= end;
}

std::vector<Read> Planner::plan(std::vector<Item> items) const {
  std::ranges::sort(items, {}, [](const Item& item) {
    return std::tuple(item.address.table, item.address.offset, item.point);
  });
  std::vector<Read> out;
  for (const auto& item : items) {
    if (out.empty() || !may_join(out.back(), item)) {
      out.push_back({item.address.table, item.address.offset, item.width, {}});
    }
    auto& read = out.back();
    read.count = static_cast<std::uint16_t>(std::max(end_of(read), end_of(item)) - read.offset);
    read.items.push_back(item);
  }
  return out;
}

void Planner::refuse_gaps(const Read& read) {
  auto& refused = refused_[static_cast<std::size_t>(read.table)];
  std::uint32_t at = read.offset;
  for (const auto& item : read.items) {  // In the order of their addresses.
    for (; at < item.address.offset; ++at) refused.insert(at);
    at = std::max(at, end_of(item));
  }
}

void Planner::refuse(const Item& item) {
  auto& refused = refused_[static_cast<std::size_t>(item.address.table)];
  for (auto at = std::uint32_t{item.address.offset}; at < end_of(item); ++at) refused.insert(at);
}

}  // namespace infiniedge::device::modbus
