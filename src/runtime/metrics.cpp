// SPDX-License-Identifier: Apache-2.0
#include "runtime/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace infiniedge::runtime {
namespace {

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
  return out;
}

/// `a="1",b="2"`, sorted by name; empty for none.
std::string series_key(Labels labels) {
  std::sort(labels.begin(), labels.end());
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value));
  }
  return out;
}

template <class M>
M& find_or_make(std::map<std::string, std::unique_ptr<M>>& series, Labels labels,
                std::size_t limit) {
  auto key = series_key(labels);
  const auto found = series.find(key);
  if (found != series.end()) return *found->second;
  if (series.size() >= limit) {
    for (auto& label : labels) label.second = "other";
    key = series_key(labels);
  }
  auto& slot = series[key];
  if (!slot) slot = std::make_unique<M>();
  return *slot;
}

std::string braces(std::string_view key) { return key.empty() ? "" : fmt::format("{{{}}}", key); }

void write_histogram(std::string& out, std::string_view name, const std::string& key,
                     const Histogram& histogram) {
  std::uint64_t cumulative = 0;
  const auto comma = key.empty() ? "" : ",";
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    cumulative += histogram.bucket(i);
    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, key, comma, Histogram::kBounds[i],
                       cumulative);
  }
  cumulative += histogram.bucket(Histogram::kBounds.size());
  out += fmt::format("{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, key, comma, cumulative);
  out += fmt::format("{}_sum{} {}\n", name, braces(key), histogram.sum());
  out += fmt::format("{}_count{} {}\n", name, braces(key), cumulative);
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto at = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  buckets_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9),
                    std::memory_order_relaxed);
}

double Histogram::quantile(double q) const {
  const double target = q * static_cast<double>(count());
  double seen = 0;
  for (std::size_t i = 0; i <= kBounds.size(); ++i) {
    const auto here = static_cast<double>(bucket(i));
    if (here > 0 && seen + here >= target) {
      const double low = i == 0 ? 0 : kBounds[i - 1];
      const double high = i == kBounds.size() ? kBounds.back() : kBounds[i];
      return low + (high - low) * std::clamp((target - seen) / here, 0.0, 1.0);
    }
    seen += here;
  }
  return 0;
}

Metrics::Family& Metrics::family(std::string_view name, std::string_view help,
                                 std::string_view type) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    found = families_.emplace(std::string{name}, Family{}).first;
    found->second.help = help;
    found->second.type = type;
  }
  return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  return find_or_make(family(name, help, "counter").counters, std::move(labels), kMaxSeries);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  return find_or_make(family(name, help, "gauge").gauges, std::move(labels), kMaxSeries);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  return find_or_make(family(name, help, "histogram").histograms, std::move(labels), kMaxSeries);
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [key, m] : family.counters) {
      out += fmt::format("{}{} {}\n", name, braces(key), m->value());
    }
    for (const auto& [key, m] : family.gauges) {
      out += fmt::format("{}{} {}\n", name, braces(key), m->value());
    }
    for (const auto& [key, m] : family.histograms) write_histogram(out, name, key, *m);
  }
  return out;
}

}  // namespace infiniedge::runtime
