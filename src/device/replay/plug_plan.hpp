// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device::replay {

/// One appliance's current after it was switched on.
struct Recording {
  std::uint32_t index = 0;  ///< In the file, from 0.
  std::string label;
  std::string samples;  ///< float32, little-endian, amperes.
  double watts = 0;     ///< RMS current × 230 V.
};

/// Power by label, in watts.
using RatedPower = std::map<std::string, double, std::less<>>;

/// PLAID's eleven kinds. The archive's form of PLAID has lost the scale of its currents (one
/// heater's RMS is 0.01, another's 5), so power cannot be computed from them: a simulated plug
/// reports what such an appliance usually draws, ± 5 % by recording.
const RatedPower& plaid_power();

/// Reads a UCR file of currents. A label without a rated power gets RMS current × 230 V.
/// Blocking. Errors: those of open_reader and Reader.
Result<std::vector<Recording>> read_recordings(const std::string& file, const RatedPower& rated);

struct PlugPlanOptions {
  int plugs = 32;
  Micros between{Millis{100}};   ///< From one switch-on to the next, over all plugs.
  std::size_t limit = 0;         ///< Recordings to play; 0: all.
  std::string held_label = "5";  ///< PLAID's heater.
  Micros held{Seconds{15}};      ///< How long the last plug keeps such an appliance on.
};

/// A plug is switched on at `at` (from the start) and off at `until`.
struct SwitchOn {
  Micros at{0}, until{0};
  int plug = 1;           ///< From 1.
  std::size_t which = 0;  ///< Into the recordings.
  bool operator==(const SwitchOn&) const = default;
};

/// Deals recordings round robin over all plugs but the last; the last one plays appliances of
/// `held_label`, the longest recordings first, one after another and long, as far as the others'
/// time goes. Every recording is played once. Ordered by time. Requires: plugs ≥ 2, between > 0.
std::vector<SwitchOn> plan_plugs(const std::vector<Recording>& recordings,
                                 const PlugPlanOptions& options);

}  // namespace infiniedge::device::replay
