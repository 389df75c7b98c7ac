// SPDX-License-Identifier: Apache-2.0
#include "api/inference/log_settings.hpp"

#include <fmt/format.h>

#include "runtime/log.hpp"

namespace infiniedge::api::inference {

Result<void> change_log(const LogSettings& changes) {
  if (changes.log_file) {
    return Error{Code::Unsupported, "log file location can not be updated while the server runs"};
  }
  if (changes.log_format && *changes.log_format != "default" && *changes.log_format != "ISO8601") {
    return Error{Code::Invalid,
                 fmt::format("log_format is default or ISO8601, not '{}'", *changes.log_format)};
  }
  auto switches = runtime::log_switches();
  switches.info = changes.log_info.value_or(switches.info);
  switches.warning = changes.log_warning.value_or(switches.warning);
  switches.error = changes.log_error.value_or(switches.error);
  switches.verbose = changes.log_verbose_level.value_or(switches.verbose);
  if (changes.log_format) switches.full_time = *changes.log_format == "ISO8601";
  runtime::set_log_switches(switches);
  return {};
}

LogSettings current_log() {
  const auto switches = runtime::log_switches();
  return {.log_file = "",
          .log_info = switches.info,
          .log_warning = switches.warning,
          .log_error = switches.error,
          .log_verbose_level = switches.verbose,
          .log_format = switches.full_time ? "ISO8601" : "default"};
}

}  // namespace infiniedge::api::inference
