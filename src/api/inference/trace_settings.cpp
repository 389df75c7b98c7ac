// SPDX-License-Identifier: Apache-2.0
#include "api/inference/trace_settings.hpp"

#include <fmt/format.h>

#include <charconv>

namespace infiniedge::api::inference {
namespace {

const TraceSettings::Values& defaults() {
  static const TraceSettings::Values kDefaults = {
      {"trace_level", {"OFF"}}, {"trace_rate", {"1000"}}, {"trace_count", {"-1"}},
      {"log_frequency", {"0"}}, {"trace_file", {""}},     {"trace_mode", {"triton"}},
  };
  return kDefaults;
}

Result<void> check_level(const SettingValues& values) {
  for (const auto& value : values) {
    if (value != "OFF" && value != "TIMESTAMPS" && value != "TENSORS") {
      return Error{Code::Invalid,
                   fmt::format("trace_level takes OFF, TIMESTAMPS and TENSORS, not '{}'", value)};
    }
  }
  return {};
}

Result<void> check_number(const std::string& name, const SettingValues& values,
                          std::int64_t least) {
  std::int64_t number = least - 1;
  if (values.size() == 1) {
    const auto& text = values[0];
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) number = least - 1;
  }
  if (number >= least) return {};
  return Error{Code::Invalid, fmt::format("{} takes one integer of at least {}", name, least)};
}

Result<void> check(const std::string& name, const SettingValues& values) {
  if (values.empty()) return Error{Code::Invalid, fmt::format("{} needs a value", name)};
  if (name == "trace_level") return check_level(values);
  if (name == "trace_rate") return check_number(name, values, 1);
  if (name == "trace_count") return check_number(name, values, -1);
  return check_number(name, values, 0);
}

bool fixed_at_start(const std::string& name) {
  return name == "trace_file" || name == "trace_mode";
}

}  // namespace

bool TraceSettings::known(std::string_view name) { return defaults().contains(name); }

Result<void> TraceSettings::update(const std::string& model, const Update& changes) {
  Values changed;
  if (const auto found = own_.find(model); found != own_.end()) changed = found->second;
  for (const auto& [name, values] : changes) {
    if (!known(name)) continue;
    if (!values) {
      changed.erase(name);
      continue;
    }
    if (fixed_at_start(name)) {
      return Error{Code::Unsupported,
                   fmt::format("{} cannot be changed while the server runs", name)};
    }
    INFINIEDGE_TRY(check(name, *values));
    changed[name] = *values;
  }
  own_[model] = std::move(changed);
  return {};
}

TraceSettings::Values TraceSettings::of(const std::string& model) const {
  auto out = defaults();
  const auto lay_over = [&](const std::string& name) {
    const auto found = own_.find(name);
    if (found == own_.end()) return;
    for (const auto& [setting, values] : found->second) out[setting] = values;
  };
  lay_over("");
  if (!model.empty()) lay_over(model);
  return out;
}

}  // namespace infiniedge::api::inference
