// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/schema.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::record {

/// Identity of a node or hub, given once at the first start. All zero: this node itself.
using GatewayId = std::array<std::byte, 16>;

/// Order of sending: lower goes first. Stored and sent as a number; never renumber.
enum class Lane : std::uint8_t { Alarm = 0, High = 1, Normal = 2, Bulk = 3 };

constexpr std::string_view to_string(Lane lane) {
  constexpr std::string_view kNames[] = {"alarm", "high", "normal", "bulk"};
  return kNames[static_cast<int>(lane)];
}

/// What a stream's resource says about keeping and sending its rows.
struct StreamPolicy {
  Lane lane = Lane::Normal;
  Micros keep{0};  ///< Age at which rows may go; zero: as long as there is room.
  LabelId label = LabelId::Default;
  std::vector<std::string> uplinks{};  ///< Names of Uplink resources that receive the rows.
  bool operator==(const StreamPolicy&) const = default;
};

/// A stream as the log and the wire introduce it before its first row.
struct StreamDefinition {
  std::uint32_t id = 0;  ///< Of the log or connection that carries it.
  GatewayId origin{};    ///< Who numbered the rows; all zero: this node.
  Schema schema;         ///< Fields, version, label, and the stream's name.
  StreamPolicy policy{};
  bool operator==(const StreamDefinition&) const = default;
};

/// A device name as the log and the wire introduce it before its first row.
struct DeviceDefinition {
  std::uint32_t id = 0;
  std::string name;
  bool operator==(const DeviceDefinition&) const = default;
};

/// Why rows are missing. Stored and sent as a number; never renumber.
enum class GapReason : std::uint8_t { Downsampled = 0, Evicted = 1, Corrupt = 2, Rollback = 3 };

constexpr std::string_view to_string(GapReason reason) {
  constexpr std::string_view kNames[] = {"downsampled", "evicted", "corrupt", "rollback"};
  return kNames[static_cast<int>(reason)];
}

/// A named loss: rows [from_seq, to_seq] of a stream are gone and will not come back.
struct Gap {
  std::uint32_t stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from_seq = 0, to_seq = 0;
  std::int64_t from_ts = 0, to_ts = 0;  ///< Both 0: unknown.
  std::uint64_t rows = 0;               ///< At most this many rows are lost.
  GapReason reason = GapReason::Corrupt;
  std::string replaced_by{};  ///< Stream that holds a summary; empty if none.
  bool operator==(const Gap&) const = default;
};

}  // namespace infiniedge::record
