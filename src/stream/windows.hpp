// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stream/aggregate.hpp"
#include "stream/ast.hpp"
#include "stream/frame.hpp"

namespace infiniedge::stream {

/// The windowed part of a plan.
struct WindowPlan {
  Window::Kind kind = Window::Kind::Tumble;      ///< Tumble (every = size), Hop or Count.
  std::int64_t size = 0, every = 0, offset = 0;  ///< µs, or rows.
  NodePtr filter;
  std::vector<NodePtr> keys;
  std::optional<std::size_t> device_key;  ///< Which of `keys` is the device.
  struct Call {
    AggregateSpec spec;
    NodePtr value, filter;
    std::string text;
  };
  std::vector<Call> calls;
  AggregateSet aggregates;
  std::string text;
  NodeKey state_key;
};

/// One group of one window, ready to be a row.
struct WindowRow {
  std::int64_t start = 0, end = 0;
  const std::string* key = nullptr;
  const std::byte* state = nullptr;
  Quality quality = Quality::Good;  ///< The worst of its rows.
  std::int64_t version = 0;
};
using WindowOutput = std::function<void(const WindowRow&)>;

/// Rows of a frame with the group that each belongs to.
struct GroupedRows {
  std::vector<std::uint32_t> group;  ///< Row → index into `keys`.
  std::vector<std::string> keys;     ///< As append_key() writes them.
  std::vector<std::int64_t> ts;
  std::vector<Quality> quality;
  std::vector<std::uint8_t> skip;  ///< 1: not in the window (its FILTER).
  std::vector<AggregateInput> inputs;
};

/// State of the windows of one rule.
///
/// Flow:    rows -> [Windows] -> WindowRow
/// Thread:  one shard.
/// Owner:   Rule. The plan outlives it.
/// Errors:  beyond 100,000 groups new ones are refused and counted.
class Windows {
 public:
  virtual ~Windows() = default;
  /// Takes rows. Windows by count emit at once. `late` receives the rows (indexes) whose
  /// windows have all closed and that no longer count.
  virtual void add(const GroupedRows& rows, std::vector<std::uint32_t>& late,
                   const WindowOutput& out) = 0;
  /// Emits what closed by event time, then what late rows changed.
  virtual void advance(std::int64_t watermark, const WindowOutput& out) = 0;
  virtual std::size_t groups() const = 0;

  std::uint64_t late_rows() const { return late_rows_; }
  std::uint64_t refused_rows() const { return refused_; }

 protected:
  std::uint64_t late_rows_ = 0, refused_ = 0;
};

struct LateRules {
  LatePolicy policy = LatePolicy::Update;
  std::int64_t keep = 0;  ///< µs
};

std::unique_ptr<Windows> make_windows(const WindowPlan& plan, LateRules late);

/// TUMBLE and HOP: panes of gcd(size, every), each a table of groups; a window is the sum of its
/// panes. Closed panes stay for `late.keep` while there are few, to take late rows.
class TimeWindows final : public Windows {
 public:
  TimeWindows(const WindowPlan& plan, LateRules late);
  void add(const GroupedRows& rows, std::vector<std::uint32_t>& late,
           const WindowOutput& out) override;
  void advance(std::int64_t watermark, const WindowOutput& out) override;
  std::size_t groups() const override { return count_; }

 private:
  static constexpr std::size_t kMaxGroups = 100'000, kMaxKept = 20'000;
  struct Group {
    AggregateSet::Block state;
    Quality quality = Quality::Good;
  };
  using Pane = std::unordered_map<std::string, Group>;

  std::int64_t pane_of(std::int64_t ts) const;
  std::int64_t last_start(std::int64_t pane) const;
  std::int64_t next_end(std::int64_t pane, std::int64_t after) const;
  Group* group_at(std::int64_t pane, const std::string& key);
  bool too_late(std::int64_t pane) const;
  void touch(std::int64_t pane, const std::string& key);
  void emit_window(std::int64_t end, const WindowOutput& out);
  struct Part {
    const std::string* key;
    const Group* group;
    std::int64_t pane;
  };
  /// `parts`: the panes' groups of one key, in order.
  void emit_group(std::int64_t end, std::span<const Part> parts, std::int64_t version,
                  const WindowOutput& out);
  void emit_touched(const WindowOutput& out);
  void forget();

  const WindowPlan& plan_;
  LateRules late_;
  std::int64_t pane_;    // length
  std::int64_t closed_;  // every window that ends by then has been emitted
  std::int64_t forgotten_ = std::numeric_limits<std::int64_t>::min();  // panes before are gone
  std::map<std::int64_t, Pane> panes_;                                 // by start
  std::size_t count_ = 0;
  std::set<std::pair<std::int64_t, std::string>> touched_;  // (end, key)
  std::map<std::int64_t, std::unordered_map<std::string, std::int64_t>> versions_;
};

/// COUNT_WINDOW(n, every): per group, panes of gcd(n, every) rows; a result each `every` rows
/// once n have come. Rows count in the order of their arrival.
class CountWindows final : public Windows {
 public:
  explicit CountWindows(const WindowPlan& plan);
  void add(const GroupedRows& rows, std::vector<std::uint32_t>& late,
           const WindowOutput& out) override;
  void advance(std::int64_t, const WindowOutput&) override {}
  std::size_t groups() const override { return groups_.size(); }

 private:
  static constexpr std::size_t kMaxGroups = 100'000;
  struct Pane {
    AggregateSet::Block state;
    Quality quality = Quality::Good;
    std::int64_t first = 0, last = 0, rows = 0;
  };
  struct Group {
    std::deque<Pane> panes;
    std::int64_t since = 0;  // rows since the last result
    std::int64_t total = 0;  // rows so far, up to n
  };
  Pane& pane_for(Group& group, std::int64_t ts);
  void emit(const std::string& key, Group& group, const WindowOutput& out);

  const WindowPlan& plan_;
  std::int64_t pane_rows_;
  std::unordered_map<std::string, Group> groups_;
};

}  // namespace infiniedge::stream
