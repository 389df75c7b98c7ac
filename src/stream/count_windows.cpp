// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "stream/windows.hpp"

namespace infiniedge::stream {

CountWindows::CountWindows(const WindowPlan& plan)
    : plan_(plan), pane_rows_(std::gcd(plan.size, plan.every)) {}

CountWindows::Pane& CountWindows::pane_for(Group& group, std::int64_t ts) {
  if (group.panes.empty() || group.panes.back().rows == pane_rows_) {
    group.panes.push_back({.state = plan_.aggregates.create(), .first = ts, .last = ts});
    if (group.panes.size() > static_cast<std::size_t>(plan_.size / pane_rows_)) {
      group.panes.pop_front();
    }
  }
  auto& pane = group.panes.back();
  pane.first = std::min(pane.first, ts);
  pane.last = std::max(pane.last, ts);
  ++pane.rows;
  return pane;
}

void CountWindows::add(const GroupedRows& rows, std::vector<std::uint32_t>&,
                       const WindowOutput& out) {
  // A result may be due after any row, so they go in one at a time.
  for (std::size_t row = 0; row < rows.group.size(); ++row) {
    if (rows.skip[row] != 0) continue;
    const auto& key = rows.keys[rows.group[row]];
    auto found = groups_.find(key);
    if (found == groups_.end()) {
      if (groups_.size() >= kMaxGroups) {
        ++refused_;
        continue;
      }
      found = groups_.emplace(key, Group{}).first;
    }
    auto& group = found->second;
    auto& pane = pane_for(group, rows.ts[row]);
    pane.quality = std::max(pane.quality, rows.quality[row]);
    for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
      plan_.aggregates.at(i).add_row(pane.state.get() + plan_.aggregates.offset(i), rows.inputs[i],
                                     row);
    }
    group.total = std::min(group.total + 1, plan_.size);
    ++group.since;
    if (group.total < plan_.size || group.since < plan_.every) continue;
    emit(key, group, out);
  }
}

void CountWindows::emit(const std::string& key, Group& group, const WindowOutput& out) {
  auto merged = plan_.aggregates.create();
  WindowRow row{.start = group.panes.front().first, .end = group.panes.front().last, .key = &key};
  for (const auto& pane : group.panes) {
    plan_.aggregates.merge(merged.get(), pane.state.get());
    row.start = std::min(row.start, pane.first);
    row.end = std::max(row.end, pane.last);
    row.quality = std::max(row.quality, pane.quality);
  }
  row.state = merged.get();
  out(row);
  group.since = 0;
}

std::unique_ptr<Windows> make_windows(const WindowPlan& plan, LateRules late) {
  if (plan.kind == Window::Kind::Count) return std::make_unique<CountWindows>(plan);
  return std::make_unique<TimeWindows>(plan, late);
}

}  // namespace infiniedge::stream
