// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "stream/windows.hpp"

namespace infiniedge::stream {
namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::min();

std::int64_t floor_to(std::int64_t value, std::int64_t step) {
  const auto rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

}  // namespace

TimeWindows::TimeWindows(const WindowPlan& plan, LateRules late)
    : plan_(plan), late_(late), pane_(std::gcd(plan.size, plan.every)), closed_(kNever) {}

std::int64_t TimeWindows::pane_of(std::int64_t ts) const {
  return floor_to(ts - plan_.offset, pane_) + plan_.offset;
}

/// Start of the last window that begins at or before `pane`.
std::int64_t TimeWindows::last_start(std::int64_t pane) const {
  return floor_to(pane - plan_.offset, plan_.every) + plan_.offset;
}

/// End of the first window, later than `after`, that covers `pane` or something behind it.
std::int64_t TimeWindows::next_end(std::int64_t pane, std::int64_t after) const {
  const auto first = last_start(pane - plan_.size + pane_ + plan_.every - 1) + plan_.size;
  if (after < first) return first;
  return first + ((after - first) / plan_.every + 1) * plan_.every;
}

TimeWindows::Group* TimeWindows::group_at(std::int64_t pane, const std::string& key) {
  auto& groups = panes_[pane];
  if (const auto found = groups.find(key); found != groups.end()) return &found->second;
  if (count_ >= kMaxGroups) return nullptr;
  ++count_;
  return &groups.emplace(key, Group{plan_.aggregates.create()}).first->second;
}

bool TimeWindows::too_late(std::int64_t pane) const {
  const auto end = last_start(pane) + plan_.size;
  if (end > closed_) return false;
  return late_.policy != LatePolicy::Update || end <= closed_ - late_.keep || pane < forgotten_;
}

/// Remembers which closed windows a late row changed, to emit them again.
void TimeWindows::touch(std::int64_t pane, const std::string& key) {
  for (auto end = next_end(pane, kNever); end <= closed_; end += plan_.every) {
    if (end - plan_.size > pane) break;
    if (end > closed_ - late_.keep) touched_.emplace(end, key);
  }
}

void TimeWindows::add(const GroupedRows& rows, std::vector<std::uint32_t>& late,
                      const WindowOutput&) {
  std::vector<std::byte*> states(rows.group.size(), nullptr);
  std::int64_t current = kNever;
  std::vector<Group*> cache;  // groups of `current`
  for (std::uint32_t row = 0; row < states.size(); ++row) {
    if (rows.skip[row] != 0) continue;
    const auto pane = pane_of(rows.ts[row]);
    const bool covered = last_start(pane) + plan_.size > pane;
    if (!covered) continue;  // between the windows of a HOP longer apart than they last
    const bool hits_closed = next_end(pane, kNever) <= closed_;
    if (hits_closed) ++late_rows_;
    if (hits_closed && too_late(pane)) {
      late.push_back(row);
      continue;
    }
    if (pane != current) {
      current = pane;
      cache.assign(rows.keys.size(), nullptr);
    }
    auto*& group = cache[rows.group[row]];
    const auto& key = rows.keys[rows.group[row]];
    if (group == nullptr) group = group_at(pane, key);
    if (group == nullptr) {
      ++refused_;
      continue;
    }
    group->quality = std::max(group->quality, rows.quality[row]);
    states[row] = group->state.get();
    if (hits_closed && late_.policy == LatePolicy::Update) touch(pane, key);
  }
  for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
    plan_.aggregates.at(i).add(states, plan_.aggregates.offset(i), rows.inputs[i]);
  }
}

void TimeWindows::advance(std::int64_t watermark, const WindowOutput& out) {
  emit_touched(out);
  while (true) {
    // The first pane that a window not yet closed could cover.
    const auto from = closed_ == kNever ? kNever : closed_ - plan_.size;
    const auto pane = panes_.upper_bound(from);
    if (pane == panes_.end()) break;
    const auto end = next_end(pane->first, closed_);
    if (end > watermark) break;
    emit_window(end, out);
    closed_ = end;
  }
  closed_ = std::max(closed_, watermark);
  forget();
}

void TimeWindows::emit_window(std::int64_t end, const WindowOutput& out) {
  const auto from = panes_.lower_bound(end - plan_.size);
  const auto to = panes_.lower_bound(end);
  std::vector<Part> parts;
  for (auto pane = from; pane != to; ++pane) {
    for (const auto& [key, group] : pane->second) parts.push_back({&key, &group, pane->first});
  }
  // By key, so that the output does not depend on hashing; panes of a key in their order.
  std::sort(parts.begin(), parts.end(), [](const Part& x, const Part& y) {
    const int order = x.key->compare(*y.key);
    return order != 0 ? order < 0 : x.pane < y.pane;
  });
  for (std::size_t i = 0; i < parts.size();) {
    std::size_t n = 1;
    while (i + n < parts.size() && *parts[i + n].key == *parts[i].key) ++n;
    emit_group(end, std::span(parts).subspan(i, n), 0, out);
    i += n;
  }
}

void TimeWindows::emit_group(std::int64_t end, std::span<const Part> parts, std::int64_t version,
                             const WindowOutput& out) {
  WindowRow row{.start = end - plan_.size, .end = end, .key = parts[0].key, .version = version};
  for (const auto& part : parts) row.quality = std::max(row.quality, part.group->quality);
  AggregateSet::Block merged;
  if (parts.size() > 1) {
    merged = plan_.aggregates.create();
    for (const auto& part : parts) plan_.aggregates.merge(merged.get(), part.group->state.get());
  }
  row.state = merged ? merged.get() : parts[0].group->state.get();
  out(row);
}

void TimeWindows::emit_touched(const WindowOutput& out) {
  for (const auto& [end, key] : touched_) {
    std::vector<Part> parts;
    const auto to = panes_.lower_bound(end);
    for (auto pane = panes_.lower_bound(end - plan_.size); pane != to; ++pane) {
      const auto found = pane->second.find(key);
      if (found != pane->second.end())
        parts.push_back({&found->first, &found->second, pane->first});
    }
    if (!parts.empty()) emit_group(end, parts, ++versions_[end][key], out);
  }
  touched_.clear();
}

void TimeWindows::forget() {
  const auto keep = late_.policy == LatePolicy::Update ? late_.keep : 0;
  const auto drop_first = [this] {
    const auto first = panes_.begin();
    forgotten_ = first->first + pane_;
    count_ -= first->second.size();
    panes_.erase(first);
  };
  if (closed_ == kNever) return;
  const auto closed_by = [this](std::int64_t time) {
    return !panes_.empty() && last_start(panes_.begin()->first) + plan_.size <= time;
  };
  while (closed_by(closed_ - keep)) drop_first();
  // Closed windows are kept for late rows as long as they are few.
  while (count_ > kMaxKept && closed_by(closed_)) drop_first();
  versions_.erase(versions_.begin(), versions_.upper_bound(closed_ - keep));
}

}  // namespace infiniedge::stream
