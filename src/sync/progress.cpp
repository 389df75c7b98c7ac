// SPDX-License-Identifier: Apache-2.0
#include "sync/progress.hpp"

namespace infiniedge::sync {

void Progress::sent(std::uint32_t epoch, Range range, std::uint64_t rows, bool done) {
  flight_.push_back({epoch, range, rows, done});
  next_ = {epoch, range.to};
  if (done) settle();
}

std::uint64_t Progress::acknowledge(std::uint32_t epoch, const Ranges& ranges) {
  for (auto& item : flight_) {
    if (item.epoch == epoch && covers(ranges, item.range)) item.done = true;
  }
  return settle();
}

std::uint64_t Progress::settle() {
  std::uint64_t rows = 0;
  for (; !flight_.empty() && flight_.front().done; flight_.pop_front()) {
    const auto& item = flight_.front();
    rows += item.rows;
    // After a rewind below it the hub is told again what it had acknowledged before.
    acknowledged_ = std::max(acknowledged_, Position{item.epoch, item.range.to});
  }
  return rows;
}

bool Progress::rewind(std::uint32_t epoch, std::uint64_t expected) {
  const Position target{epoch, expected - 1};
  if (target > next_ || (target == next_ && flight_.empty())) return false;
  while (!flight_.empty()) {
    const auto& last = flight_.back();
    if (Position{last.epoch, last.range.to} <= target) break;
    flight_.pop_back();
  }
  next_ = target;
  ++generation_;
  return true;
}

}  // namespace infiniedge::sync
