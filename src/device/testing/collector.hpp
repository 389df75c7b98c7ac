// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/deadline.hpp"
#include "device/outcome.hpp"
#include "infiniedge/connector.hpp"
#include "runtime/clock.hpp"

namespace infiniedge::device::testing {

/// One row as a test likes to look at it.
struct SeenRow {
  std::int64_t ts = 0;
  Quality quality = Quality::Good;
  std::vector<std::optional<std::string>> values;  ///< As text; nothing: null.
};

/// An Outlet that keeps every row, and can be told to hold them back.
///
/// Thread: one shard.
class Collector final : public Outlet {
 public:
  explicit Collector(boost::asio::any_io_executor executor) : opened_(std::move(executor)) {}

  Task<Result<void>> push(Batch batch) override;
  void state(Result<void> state) override { states.push_back(std::move(state)); }

  /// Completes when `done` holds, or with Timeout after ten seconds of real time.
  Task<Result<void>> until(std::function<bool()> done);
  Task<Result<void>> until_rows(std::size_t n) {
    return until([this, n] { return rows.size() >= n; });
  }
  /// While held, push() does not complete.
  void hold(bool held) {
    held_ = held;
    if (!held) opened_.notify();
  }

  std::vector<SeenRow> rows;
  std::vector<Result<void>> states;
  std::size_t batches = 0;
  Result<void> refusal;  ///< What push() answers, if it is an error.

 private:
  Task<Result<void>> watch(std::function<bool()> done);

  runtime::SystemClock clock_;
  Signal opened_;
  bool held_ = false;
};

/// A point whose field follows from its type, and a spec of such points.
Point make_point(std::string name, std::string address, std::string type = "float64",
                 OptionValues options = {});
DeviceSpec make_device(std::string name, std::string address, std::vector<Point> points,
                       OptionValues options = {});

}  // namespace infiniedge::device::testing
