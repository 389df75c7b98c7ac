// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "infiniedge/time.hpp"
#include "model/sequence_layout.hpp"
#include "runtime/metrics.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::model {

/// The sequences of one model version: keeps their requests in order, one at a time each, gives
/// the model its control tensors, and carries the states from request to request.
///
/// Flow:    Server -> [Sequences] -> Served
/// Thread:  the server's shard.
/// Owner:   its version, which outlives every live sequence.
/// Errors:  Invalid (batch, no START, an id that the model cannot take), Exhausted (too many
///          sequences, requests or bytes), Timeout and Cancelled while waiting; else what the
///          execution says. A request that fails leaves the state as it was, and fails those
///          queued behind it; one that was to start a sequence leaves none.
class Sequences : public std::enable_shared_from_this<Sequences> {
 public:
  struct Options {
    std::size_t lanes = 1;              ///< Batches at once: their instances. Direct only.
    std::size_t slots = 1;              ///< Sequences served at once; others wait for a slot.
    std::size_t max_sequences = 1024;   ///< Live and waiting.
    std::size_t max_waiting = 1024;     ///< Requests that wait for their turn.
    std::size_t max_bytes = 64U << 20;  ///< Of states, and again of waiting requests.
  };
  /// What came with a request beside its tensors.
  struct Call {
    SequenceId sequence;
    std::optional<Instant> deadline{};
    std::stop_token cancel{};
  };
  using Execute = std::function<Task<Result<std::vector<Tensor>>>(CheckedRequest)>;
  /// Anything whose life says that a sequence lives: the version waits for it before it ends.
  using Hold = std::shared_ptr<void>;

  Sequences(std::shared_ptr<const ModelConfig> config, SequenceLayout layout, Options options);
  ~Sequences();

  /// `hold` is called for each new sequence; its result is kept for as long as that lives.
  void start(runtime::Scope& scope, Clock& clock, runtime::Gauge& active,
             std::function<Hold()> hold);

  /// Runs one request when its turn has come. The caller keeps the version alive.
  Task<Result<std::vector<Tensor>>> infer(CheckedRequest request, Call call, Execute execute);

  bool holds(const SequenceId::Value& id) const { return live_.contains(id); }
  std::size_t size() const { return live_.size(); }
  std::vector<SequenceId::Value> ids() const;
  /// Ends every sequence; requests that wait fail with `why`.
  void end_all(const Error& why);

  const SequenceLayout& layout() const { return layout_; }

 private:
  struct Sequence;
  struct Waiter;
  class Turn;
  using Ptr = std::shared_ptr<Sequence>;

  Result<Ptr> enter(const CheckedRequest& request, const Call& call);
  void seat(const Ptr& sequence);
  void unseat(Sequence& sequence);
  void next(Sequence& sequence);
  void settle(const Ptr& sequence);
  static void fail_behind(Sequence& sequence, const Waiter* from, const Error& why);
  void forget(const Ptr& sequence);
  Result<void> keep_states(Sequence& sequence, std::vector<Tensor> states);
  Task<bool> wait_for_turn(Waiter& waiter, const Call& call);
  void watch(Instant when);
  void tidy();
  std::optional<Instant> next_due() const;
  static Task<void> look_later(std::shared_ptr<Sequences> self, Instant when);

  std::shared_ptr<const ModelConfig> config_;
  SequenceLayout layout_;
  Options options_;
  runtime::Scope* scope_ = nullptr;
  Clock* clock_ = nullptr;
  runtime::Gauge* active_ = nullptr;
  std::function<Hold()> hold_;

  std::map<SequenceId::Value, Ptr> live_;
  std::vector<bool> slots_;  ///< Taken.
  std::deque<Ptr> backlog_;  ///< Without a slot, oldest first.
  std::size_t waiting_ = 0, waiting_bytes_ = 0, state_bytes_ = 0;
  std::optional<Instant> watching_;
};

}  // namespace infiniedge::model
