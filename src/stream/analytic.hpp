// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stream/frame.hpp"

namespace infiniedge::stream {

bool is_analytic(std::string_view name);
std::span<const std::string_view> analytic_names();

/// The memory of one analytic function for one key (a device, a partition, the whole stream).
class AnalyticState {
 public:
  virtual ~AnalyticState() = default;
  /// Takes row `row` of the arguments and appends the result.
  virtual void step(std::span<const Vec* const> args, std::size_t row, std::int64_t ts,
                    Vec& out) = 0;
};

/// One call of an analytic function in a plan.
struct AnalyticCall {
  enum class Scope : std::uint8_t { Device, Stream, Partition };
  std::string name;
  std::vector<NodePtr> args;    ///< Values; constants moved to `options`.
  std::vector<Scalar> options;  ///< By function: see make_analytic.
  Scope scope = Scope::Device;
  std::vector<NodePtr> partition;
  NodePtr when;
  Type type = Type::Float;
  std::string text;
  NodeKey state_key;
};

/// lag: n, default, ignore_null. latest: default. had_changed, changed_col: ignore_null.
/// rate: counter. deadband: abs, max_gap. ewma: half_life in µs.
std::unique_ptr<AnalyticState> make_analytic(const AnalyticCall& call);

/// All analytic functions of one rule, with their states.
///
/// Flow:    frame -> [Analytics] -> frame with one more column a call
/// Thread:  one shard.
/// Owner:   Rule or Expression.
/// Errors:  beyond 100,000 keys a call, new keys get NULL and are counted.
class Analytics {
 public:
  explicit Analytics(std::span<const AnalyticCall> calls);
  Analytics(Analytics&&) = default;
  Analytics& operator=(Analytics&&) = default;

  void apply(Frame& frame);
  /// Takes the states of a call with the same key. Returns whether there was one.
  bool adopt(std::size_t call, Analytics& from);
  std::size_t keys() const;
  std::uint64_t refused() const { return refused_; }

 private:
  struct Slot {
    const AnalyticCall* call;
    std::unordered_map<std::string, std::unique_ptr<AnalyticState>> states;
    std::unordered_map<std::string, Scalar> last;  // of calls with WHEN: the latest result
  };
  void run(Slot& slot, Frame& frame);
  AnalyticState* state_of(Slot& slot, const std::string& key);

  std::vector<Slot> slots_;
  std::uint64_t refused_ = 0;
};

/// Values of a key in one string: equal strings iff equal values.
void append_key(std::string& key, const Vec& value, std::size_t row);

}  // namespace infiniedge::stream
