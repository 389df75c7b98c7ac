// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::runtime {

enum class Level { Error, Warning, Info, Debug, Trace };

/// A named value beside the sentence: `code`, `resource`, `error`, `trace`, or one's own.
/// Payloads and secrets never stand here.
struct LogField {
  std::string_view key;
  std::string value;
};

enum class LogFormat { Auto /* text on a terminal, else JSON */, Text, Json };

/// Sets level and format. `levels` is like "info,device.modbus=debug". Callable while running.
/// Errors: Invalid, naming the word that is not a level.
Result<void> configure_log(std::string_view levels, LogFormat format);

/// What may be switched while the process runs, beside the levels of modules.
struct LogSwitches {
  bool error = true, warning = true, info = true;
  std::uint32_t verbose = 0;  ///< 1: debug messages too; 2: traces too.
  bool full_time = false;     ///< Text lines begin with date and time instead of the time.
};
LogSwitches log_switches();
void set_log_switches(const LogSwitches& switches);

/// True if a message of this level and module would be written: guards costly arguments.
bool log_enabled(Level level, std::string_view module);

/// Also gives every line written to `listener`, as JSON without a line end; empty: nobody.
/// It is called on the thread that logs, may not block, and may not log.
void on_log(std::function<void(const std::string& json)> listener);

/// Writes one line to standard error. The same site and resource writes at most ten lines in
/// ten seconds; the rest is counted and reported once.
///
/// Thread: any; never blocks on another shard for longer than one write(2).
void log(Level level, std::string_view module, std::string_view message,
         std::initializer_list<LogField> fields = {},
         std::source_location site = std::source_location::current());

}  // namespace infiniedge::runtime
