// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

/// The settings of logging with the protocol's names: changes where set, or all of them as they
/// are. The process has one log; these functions reach it.
struct LogSettings {
  std::optional<std::string> log_file{};  ///< Always empty: the log is standard error.
  std::optional<bool> log_info{}, log_warning{}, log_error{};
  std::optional<std::uint32_t> log_verbose_level{};
  std::optional<std::string> log_format{};  ///< "default" or "ISO8601".
};

/// Errors: Invalid for another format; Unsupported for log_file.
Result<void> change_log(const LogSettings& changes);
LogSettings current_log();

}  // namespace infiniedge::api::inference
