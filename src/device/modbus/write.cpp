// SPDX-License-Identifier: Apache-2.0
// The writing half of modbus::Connector.
#include <fmt/format.h>

#include "device/modbus/connector.hpp"
#include "device/modbus/frame.hpp"

namespace infiniedge::device::modbus {
namespace {

constexpr std::uint8_t kIllegalFunction = 1;

Error refusal(std::string_view where, std::uint8_t code) {
  const auto meaning = code <= 3 ? Code::Invalid : Code::Unavailable;
  return {meaning, fmt::format("the device refuses to write {}: {}", where, exception_name(code))};
}

}  // namespace

Task<Result<void>> Connector::write(std::vector<PointWrite> writes) {
  for (std::size_t i = 0; i < writes.size();) {
    const auto run = run_of_coils(writes, i);
    if (run > 1) {
      const auto first = writes.begin() + static_cast<std::ptrdiff_t>(i);
      std::vector<PointWrite> coils(first, first + static_cast<std::ptrdiff_t>(run));
      INFINIEDGE_CO_TRY(co_await write_coil_run(std::move(coils)));
      i += run;
      continue;
    }
    const auto point = poller_.find(writes[i].point);
    if (!point) co_return point.error();
    INFINIEDGE_CO_TRY(co_await write_one(*point, writes[i].value));
    ++i;
  }
  co_return Result<void>{};
}

/// How many writes from `first` on go to coils that follow each other: one request for all.
std::size_t Connector::run_of_coils(const std::vector<PointWrite>& writes,
                                    std::size_t first) const {
  std::size_t run = 0;
  std::optional<std::uint32_t> expected;
  for (auto i = first; i < writes.size() && run < kMaxWriteBits; ++i, ++run) {
    const auto point = poller_.find(writes[i].point);
    if (!point) break;
    const auto& address = registers_[*point].item.address;
    if (address.table != Table::Coil || address.offset != expected.value_or(address.offset)) break;
    expected = address.offset + 1U;
  }
  return run;
}

Task<Result<void>> Connector::write_coil_run(std::vector<PointWrite> writes) {
  std::vector<bool> on;
  for (const auto& write : writes) {
    auto raw = unconvert(device_.points[*poller_.find(write.point)], write.value);
    if (!raw) co_return raw.error();
    on.push_back(*encode(*raw, "bool", 0, Order::ABCD) != std::vector<std::uint16_t>{0});
  }
  const auto address = registers_[*poller_.find(writes[0].point)].item.address;
  co_return co_await confirm(write_coils(address.offset, on), address.text());
}

Task<Result<void>> Connector::write_one(std::size_t index, std::string value) {
  const auto& point = device_.points[index];
  const auto& reg = registers_[index];
  const auto address = reg.item.address;
  if (!is_writable(address.table)) {
    co_return Error{Code::Unsupported,
                    fmt::format("point {} is an input: it cannot be written", point.name)};
  }
  auto raw = unconvert(point, value);
  if (!raw) co_return raw.error();
  auto words = encode(*raw, point.type, reg.length, reg.order);
  if (!words) co_return words.error();
  if (address.table == Table::Coil || address.bit) {
    const bool on = std::ranges::any_of(*words, [](std::uint16_t word) { return word != 0; });
    if (address.bit) co_return co_await write_bit(address, on);
    co_return co_await confirm(write_coil(address.offset, on), address.text());
  }
  auto pdu = words->size() == 1 ? write_register(address.offset, (*words)[0])
                                : write_registers(address.offset, *words);
  co_return co_await confirm(std::move(pdu), address.text());
}

/// By mask (function 22), or, where the device cannot, by reading and writing the whole register.
Task<Result<void>> Connector::write_bit(Address address, bool on) {
  const auto bit = static_cast<std::uint16_t>(1U << *address.bit);
  if (can_mask_) {
    const auto keep = static_cast<std::uint16_t>(~bit);
    auto refused = co_await send(mask_register(address.offset, keep, on ? bit : 0));
    if (!refused) co_return refused.error();
    if (!*refused) co_return Result<void>{};
    if ((*refused)->code != kIllegalFunction) co_return refusal(address.text(), (*refused)->code);
    can_mask_ = false;
  }
  auto answer = co_await client_.request(read_request(address.table, address.offset, 1));
  if (!answer) co_return answer.error();
  if (const auto refused = exception_of(*answer, read_function(address.table))) {
    co_return refusal(address.text(), refused->code);
  }
  const auto words = parse_read(*answer, address.table, 1);
  if (!words) co_return words.error();
  const auto word = static_cast<std::uint16_t>(on ? (*words)[0] | bit : (*words)[0] & ~bit);
  co_return co_await confirm(write_register(address.offset, word), address.text());
}

Task<Result<void>> Connector::confirm(std::string pdu, std::string where) {
  const auto refused = co_await send(std::move(pdu));
  if (!refused) co_return refused.error();
  if (*refused) co_return refusal(where, (*refused)->code);
  co_return Result<void>{};
}

/// Sends a write; nothing: the device has confirmed it.
Task<Result<std::optional<Exception>>> Connector::send(std::string pdu) {
  auto answer = co_await client_.request(pdu);
  if (!answer) co_return answer.error();
  if (auto refused = exception_of(*answer, static_cast<std::uint8_t>(pdu[0]))) co_return refused;
  if (auto echo = parse_echo(*answer, pdu); !echo) co_return echo.error();
  co_return std::optional<Exception>{};
}

}  // namespace infiniedge::device::modbus
