// SPDX-License-Identifier: Apache-2.0
#include "runtime/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace infiniedge::runtime {
namespace {

constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug", "trace"};
constexpr int kBurst = 10;
constexpr std::chrono::seconds kBurstSpan{10};

struct Site {
  std::chrono::steady_clock::time_point since{};
  int written = 0;
  int suppressed = 0;
};

struct State {
  std::mutex mutex;
  std::map<std::string, Level, std::less<>> modules;
  std::map<std::string, Site> sites;
  LogFormat format = LogFormat::Auto;
  LogSwitches switches;
  std::function<void(const std::string&)> listener;
};

std::atomic<int> default_level{static_cast<int>(Level::Info)};
std::atomic<int> lowest_level{static_cast<int>(Level::Info)};
std::atomic<unsigned> muted_levels{0};  ///< Bit n: level n is switched off.
std::atomic<bool> full_time{false};

State& state() {
  static State the_state;
  return the_state;
}

std::optional<Level> parse_level(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kLevels); ++i) {
    if (word == kLevels[i]) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::string timestamp() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto us = now.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(static_cast<std::time_t>(us / 1'000'000)), us % 1'000'000);
}

/// One line, whatever the values hold: control characters would let input forge lines.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)
      out.push_back(c);
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string as_text(Level level, std::string_view module, std::string_view message,
                    std::initializer_list<LogField> fields) {
  const auto time = timestamp();
  auto line = fmt::format("{} {:<7} {}: {}", full_time ? time : time.substr(11, 12),
                          kLevels[static_cast<int>(level)], module, one_line(message));
  for (const auto& field : fields) line += fmt::format("  {}={}", field.key, one_line(field.value));
  return line + "\n";
}

std::string as_json(Level level, std::string_view module, std::string_view message,
                    std::initializer_list<LogField> fields) {
  boost::json::object object{{"time", timestamp()},
                             {"level", kLevels[static_cast<int>(level)]},
                             {"module", module},
                             {"message", message}};
  for (const auto& field : fields) object[field.key] = field.value;
  return boost::json::serialize(object) + "\n";
}

void emit(Level level, std::string_view module, std::string_view message,
          std::initializer_list<LogField> fields, LogFormat format) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  static const bool journal = getenv("JOURNAL_STREAM") != nullptr;
  const bool text = format == LogFormat::Text || (format == LogFormat::Auto && terminal);
  auto line =
      text ? as_text(level, module, message, fields) : as_json(level, module, message, fields);
  if (journal && !text) line.insert(0, fmt::format("<{}>", static_cast<int>(level) + 3));
  // A log that cannot be written has nowhere to say so.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_default(State& s, Level level) {
  default_level = static_cast<int>(level);
  int lowest = default_level;
  for (const auto& [name, own] : s.modules) lowest = std::max(lowest, static_cast<int>(own));
  lowest_level = lowest;
}

}  // namespace

Result<void> configure_log(std::string_view levels, LogFormat format) {
  std::optional<Level> base;
  std::map<std::string, Level, std::less<>> modules;
  while (!levels.empty()) {
    const auto word = levels.substr(0, levels.find(','));
    levels.remove_prefix(std::min(levels.size(), word.size() + 1));
    const auto equals = word.find('=');
    const auto name = equals == std::string_view::npos ? word : word.substr(equals + 1);
    const auto level = parse_level(name);
    if (!level) {
      return Error{Code::Invalid, fmt::format("\"{}\" is not a log level: use error, warning, "
                                              "info, debug or trace",
                                              name)};
    }
    if (equals == std::string_view::npos)
      base = level;
    else
      modules[std::string{word.substr(0, equals)}] = *level;
  }
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  s.modules = std::move(modules);
  s.format = format;
  set_default(s, base.value_or(static_cast<Level>(default_level.load())));
  return {};
}

LogSwitches log_switches() {
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  const int level = default_level;
  auto out = s.switches;
  out.warning &= level >= static_cast<int>(Level::Warning);
  out.info &= level >= static_cast<int>(Level::Info);
  const int verbose = level - static_cast<int>(Level::Info);
  if (verbose <= 0 || out.verbose == 0)
    out.verbose = static_cast<std::uint32_t>(std::max(0, verbose));
  return out;
}

void set_log_switches(const LogSwitches& switches) {
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  s.switches = switches;
  set_default(s, switches.verbose == 0   ? Level::Info
                 : switches.verbose == 1 ? Level::Debug
                                         : Level::Trace);
  const auto bit = [](Level level, bool on) { return on ? 0U : 1U << static_cast<int>(level); };
  muted_levels = bit(Level::Error, switches.error) | bit(Level::Warning, switches.warning) |
                 bit(Level::Info, switches.info);
  full_time = switches.full_time;
}

void on_log(std::function<void(const std::string&)> listener) {
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  s.listener = std::move(listener);
}

bool log_enabled(Level level, std::string_view module) {
  const int wanted = static_cast<int>(level);
  if ((muted_levels.load(std::memory_order_relaxed) >> wanted & 1U) != 0) return false;
  if (wanted > lowest_level.load(std::memory_order_relaxed)) return false;
  if (wanted <= default_level.load(std::memory_order_relaxed)) return true;
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  const auto own = s.modules.find(module);
  return own != s.modules.end() && wanted <= static_cast<int>(own->second);
}

void log(Level level, std::string_view module, std::string_view message,
         std::initializer_list<LogField> fields, std::source_location site) {
  if (!log_enabled(level, module)) return;
  auto key = fmt::format("{}:{}", site.file_name(), site.line());
  for (const auto& field : fields) {
    if (field.key == "resource") key += field.value;
  }
  auto& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.sites.size() > 4096) s.sites.clear();
  auto& seen = s.sites[key];
  const auto now = std::chrono::steady_clock::now();
  if (now - seen.since > kBurstSpan) {
    if (seen.suppressed > 0) {
      emit(level, module,
           fmt::format("the next message came {} more times in {} s", seen.suppressed,
                       kBurstSpan.count()),
           {}, s.format);
    }
    seen = {.since = now};
  }
  if (++seen.written > kBurst) {
    ++seen.suppressed;
    return;
  }
  emit(level, module, message, fields, s.format);
  if (!s.listener) return;
  auto line = as_json(level, module, message, fields);
  line.pop_back();
  s.listener(line);
}

}  // namespace infiniedge::runtime
