// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

/// Values of one setting; trace_level alone may have several.
using SettingValues = std::vector<std::string>;

/// The settings of tracing, of the server and where a model has its own. Numbers are strings, as
/// the protocol has them.
///
/// Thread: the doors' shard.
/// Owner:  app; outlives the doors.
/// Errors: Invalid, naming the setting and what it takes; Unsupported for those that only the
///         start of the process may set.
class TraceSettings {
 public:
  /// New values by name; none: cleared, so that the server's (or the default) count again.
  /// Names that are not known are ignored.
  using Update = std::map<std::string, std::optional<SettingValues>>;
  using Values = std::map<std::string, SettingValues, std::less<>>;

  static bool known(std::string_view name);
  /// All or nothing. `model` empty: those of the server.
  Result<void> update(const std::string& model, const Update& changes);
  /// What holds for a model, or for the server.
  Values of(const std::string& model) const;

 private:
  std::map<std::string, Values, std::less<>> own_;  ///< By model; "" is the server.
};

}  // namespace infiniedge::api::inference
