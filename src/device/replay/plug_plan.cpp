// SPDX-License-Identifier: Apache-2.0
#include "device/replay/plug_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "base/bytes.hpp"
#include "device/replay/reader.hpp"

namespace infiniedge::device::replay {
namespace {

constexpr double kVolts = 230;
constexpr Micros kLongestOn{Seconds{5}};  ///< Of ordinary plugs: far from what trips a rule.
constexpr Micros kHeldPause{Seconds{3}};

double rms(const std::string& samples) {
  double squares = 0;
  std::size_t count = 0;
  for (std::size_t at = 0; at < samples.size(); at += sizeof(float)) {
    const double x = base::get<float>(base::as_bytes(samples), at);
    if (!std::isfinite(x)) continue;
    squares += x * x;
    ++count;
  }
  return count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
}

double watts_of(const Recording& recording, const RatedPower& rated) {
  const auto known = rated.find(recording.label);
  if (known == rated.end()) return rms(recording.samples) * kVolts;
  return known->second * (0.95 + 0.1 * (recording.index * 37 % 101) / 100);
}

/// Recordings of the held kind, the longest first: they show the most of the appliance.
std::vector<std::size_t> held_first(const std::vector<Recording>& recordings, std::size_t count,
                                    std::string_view label) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    if (recordings[i].label == label) out.push_back(i);
  }
  std::ranges::sort(out, {}, [&](std::size_t i) {
    return std::pair(-static_cast<std::int64_t>(recordings[i].samples.size()), i);
  });
  return out;
}

}  // namespace

const RatedPower& plaid_power() {
  static const RatedPower kWatts{
      {"0", 1000},  // Air conditioner.
      {"1", 15},    // Compact fluorescent lamp.
      {"2", 45},    // Fan.
      {"3", 150},   // Fridge.
      {"4", 1200},  // Hairdryer.
      {"5", 1400},  // Heater.
      {"6", 60},    // Incandescent light bulb.
      {"7", 60},    // Laptop.
      {"8", 1100},  // Microwave.
      {"9", 900},   // Vacuum.
      {"10", 500}   // Washing machine.
  };
  return kWatts;
}

Result<std::vector<Recording>> read_recordings(const std::string& file, const RatedPower& rated) {
  auto reader = open_reader(file, "ts", {});
  if (!reader) return reader.error();
  if ((*reader)->columns()[0] != "series") {
    return Error{Code::Invalid,
                 fmt::format("{} has several dimensions: one current was expected", file)};
  }
  std::vector<Recording> out;
  while (true) {
    auto record = (*reader)->next();
    if (!record) return record.error();
    if (!*record) return out;
    Recording one{.index = static_cast<std::uint32_t>(out.size())};
    one.samples = std::move(std::get<std::string>((*record)->fields[0]));
    if (auto* label = std::get_if<std::string>(&(*record)->fields[1])) one.label = *label;
    one.watts = watts_of(one, rated);
    out.push_back(std::move(one));
  }
}

std::vector<SwitchOn> plan_plugs(const std::vector<Recording>& recordings,
                                 const PlugPlanOptions& options) {
  const auto count =
      options.limit == 0 ? recordings.size() : std::min(options.limit, recordings.size());
  const auto ordinary = options.plugs - 1;
  const auto span = static_cast<std::int64_t>(count) * options.between;
  std::vector<SwitchOn> out;
  std::vector<bool> is_held(count, false);
  // At least one is held, however short the others' time is.
  Micros at{0};
  for (const auto i : held_first(recordings, count, options.held_label)) {
    if (at > Micros{0} && at + options.held > span) break;
    out.push_back({at, at + options.held, options.plugs, i});
    is_held[i] = true;
    at += options.held + kHeldPause;
  }
  const auto on = std::min(kLongestOn, ordinary * options.between * 3 / 5);
  std::int64_t turn = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_held[i]) continue;
    const auto begin = turn * options.between;
    out.push_back({begin, begin + on, static_cast<int>(turn % ordinary) + 1, i});
    ++turn;
  }
  std::ranges::sort(out, {}, [](const SwitchOn& on) { return std::pair(on.at, on.plug); });
  return out;
}

}  // namespace infiniedge::device::replay
