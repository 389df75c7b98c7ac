// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "device/latest.hpp"
#include "device/value.hpp"
#include "infiniedge/batch.hpp"
#include "infiniedge/connector.hpp"

namespace infiniedge::device {

/// Gathers point values into a Batch of one device: types, scale, range, deadband, decimals.
///
/// Flow:   connector's Cells -> [RowBuilder] -> Batch -> Outlet
/// Thread: the device's shard.
/// Owner:  the connector.
/// Errors: none; what does not fit becomes null and Bad, is counted, and warned of once a field
///         until the field is good again.
class RowBuilder {
 public:
  /// `latest` may be null.
  RowBuilder(const DeviceSpec& spec, Latest* latest);

  /// Adds one row of raw values, one Cell a point in the order of DeviceSpec::points. Returns
  /// false when there was nothing to add: no cell, or every value within its deadband.
  /// `floor`: quality that the row has at best, e.g. Uncertain for a guessed time.
  bool add(Timestamp ts, std::vector<Cell> cells, Quality floor = Quality::Good);

  std::size_t rows() const { return batch_.rows(); }
  /// Payload bytes gathered, for a bound on memory.
  std::size_t bytes() const { return bytes_; }
  /// Takes what was gathered and starts anew.
  Batch take();

 private:
  bool within_deadband(std::size_t point, const Cell& cell) const;
  void finish(std::size_t point, Cell& cell) const;
  void warn(std::size_t point, const Cell& cell);
  void append(std::size_t point, const Cell& cell);
  void reset();

  std::string device_;
  std::vector<Point> points_;
  SchemaPtr schema_;
  Latest* latest_;
  Batch batch_;
  std::size_t bytes_ = 0;
  std::vector<std::optional<double>> sent_;  ///< Last number passed on, where there is a deadband.
  std::vector<bool> warned_;
};

}  // namespace infiniedge::device
