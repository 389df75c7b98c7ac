// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "device/outcome.hpp"
#include "device/row.hpp"

namespace infiniedge::device {

/// Rows that arrived on their own and wait for the outlet: one push is under way while the next
/// batch gathers. When full, the source is told to stop reading: back-pressure reaches the
/// sender through its socket.
///
/// Flow:   message -> [Inbox] -> Outlet
/// Thread: the device's shard.
/// Owner:  a connector; drain() before destruction.
class Inbox {
 public:
  static constexpr std::size_t kMaxRows = 4096;
  static constexpr std::size_t kMaxBytes = 16U << 20;

  Inbox(const Environment& environment, const DeviceSpec& device)
      : rows_(device, environment.latest), arrived_(environment.executor) {}

  void add(Timestamp ts, std::vector<Cell> cells, Quality floor) {
    if (rows_.add(ts, std::move(cells), floor)) arrived_.notify();
  }
  bool full() const { return rows_.rows() >= kMaxRows || rows_.bytes() >= kMaxBytes; }

  /// Pushes until drain(), then what is left. `emptied` runs after each batch was taken.
  /// Errors: those of Outlet::push.
  Task<Result<void>> deliver(Outlet& out, std::function<void()> emptied) {
    while (true) {
      while (rows_.rows() == 0 && !ending_) co_await arrived_.wait();
      if (rows_.rows() == 0) co_return Result<void>{};
      auto batch = rows_.take();
      emptied();
      INFINIEDGE_CO_TRY(co_await out.push(std::move(batch)));
    }
  }
  void drain() {
    ending_ = true;
    arrived_.notify();
  }

 private:
  RowBuilder rows_;
  Signal arrived_;
  bool ending_ = false;
};

}  // namespace infiniedge::device
