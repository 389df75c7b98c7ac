// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "infiniedge/predictor.hpp"
#include "infiniedge/time.hpp"
#include "runtime/scope.hpp"
#include "stream/frame.hpp"
#include "stream/plan.hpp"

namespace infiniedge::stream {

/// Asks models for rows in micro-batches: up to 32 rows or 5 ms, up to four in flight, so that a
/// slow teacher does not hold the rows behind it longer than it must; answers leave in order.
///
/// Flow:    frame -> [ModelStage] -> Predictor -> frame with the answers' columns
/// Thread:  one shard; `done` is called there.
/// Owner:   Rule, through a shared_ptr that its coroutines share; detach() before Rule dies.
/// Errors:  a model's failure becomes NULLs and a text in `_err`; beyond 4,096 waiting rows new
///          ones are dropped and counted.
class ModelStage : public std::enable_shared_from_this<ModelStage> {
 public:
  using Done = std::function<void(Frame&)>;
  ModelStage(std::shared_ptr<const Plan> plan, Predictor* predictor, Done done);

  void open(runtime::Scope& scope, Clock& clock);
  void add(Frame& frame, std::int64_t now);
  /// Sends what has been gathered, without waiting for more.
  void flush();
  /// Completes when nothing is pending.
  static Task<void> drain(std::shared_ptr<ModelStage> self);
  void detach() { done_ = nullptr; }

  std::size_t pending() const { return pending_; }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t failures() const { return failures_; }

 private:
  static constexpr std::size_t kRows = 32, kInFlight = 4, kMaxPending = 4096;
  static constexpr Micros kWait{5'000};

  struct Group {
    std::shared_ptr<Batch> rows = std::make_shared<Batch>();
    std::map<std::size_t, Vec> carried;
    /// Of each model: what to ask, and which row it is for.
    std::vector<std::vector<Sample>> samples;
    std::vector<std::vector<std::uint32_t>> asked;
    std::vector<std::vector<Prediction>> answers;
    bool sent = false, done = false;
  };
  using GroupPtr = std::shared_ptr<Group>;

  GroupPtr start_group(Frame& frame);
  void take_row(Group& group, Frame& frame, std::size_t row, std::int64_t now);
  void pump();
  void deliver();
  void add_answers(const ModelCall& call, std::size_t model, const Group& group, Frame& frame);
  static Task<void> ask(std::shared_ptr<ModelStage> self, GroupPtr group);
  static Task<void> expire(std::shared_ptr<ModelStage> self, GroupPtr group);

  std::shared_ptr<const Plan> plan_;
  Predictor* predictor_;
  Done done_;
  runtime::Scope* scope_ = nullptr;
  Clock* clock_ = nullptr;
  GroupPtr gathering_;
  std::deque<GroupPtr> queue_;  // sent or to be sent, in order
  std::size_t in_flight_ = 0, pending_ = 0;
  std::uint64_t dropped_ = 0, failures_ = 0;
  bool delivering_ = false;
  std::unique_ptr<boost::asio::steady_timer> idle_;
};

}  // namespace infiniedge::stream
