// SPDX-License-Identifier: Apache-2.0
#include "model/sequences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace infiniedge::model {
namespace {

using boost::asio::steady_timer;

std::string id_text(const SequenceId::Value& id) {
  const auto* text = std::get_if<std::string>(&id);
  return text != nullptr ? "'" + *text + "'" : std::to_string(std::get<std::uint64_t>(id));
}

std::size_t size_of(const std::vector<Tensor>& tensors) {
  std::size_t bytes = 0;
  for (const auto& tensor : tensors) bytes += tensor.data.size();
  return bytes;
}

}  // namespace

/// A request that waits for those before it in its sequence, or for the sequence's slot.
struct Sequences::Waiter {
  explicit Waiter(const boost::asio::any_io_executor& executor)
      : woken(executor, steady_timer::time_point::max()) {}

  bool start = false, end = false;
  std::optional<Instant> deadline{};
  std::size_t bytes = 0;
  bool turn = false;
  std::optional<Error> failed{};
  steady_timer woken;  ///< Cancelled: look at the two above.

  void fail(Error why) {
    failed.emplace(std::move(why));
    woken.cancel();
  }
};

struct Sequences::Sequence {
  SequenceId::Value id;
  std::optional<std::size_t> slot{};
  bool fresh = true;     ///< Its START has not been answered.
  bool done = false;     ///< Its END has been answered.
  bool running = false;  ///< A request of it executes; `ending`: one with END.
  bool ending = false;
  bool forgotten = false;
  std::deque<Waiter*> line{};
  std::vector<Tensor> states{};
  std::size_t state_bytes = 0;
  Instant last{};
  Hold hold{};

  bool idle() const { return !running && line.empty(); }
  /// After all that has come so far, a request must carry START.
  bool closing() const {
    for (auto it = line.rbegin(); it != line.rend(); ++it) {
      if (!(*it)->failed) return (*it)->end;
    }
    return running ? ending : done;
  }
};

/// One request's stay in its sequence: leaves the line, and hands the turn on, however it ends.
class Sequences::Turn {
 public:
  Turn(Sequences& owner, Ptr sequence, Waiter& waiter)
      : owner_(owner), sequence_(std::move(sequence)), waiter_(waiter) {
    sequence_->line.push_back(&waiter_);
    ++owner_.waiting_;
    owner_.waiting_bytes_ += waiter_.bytes;
  }
  ~Turn() {
    // Those behind a request that did not run would compute on a step that is missing.
    if (!answered_) owner_.fail_behind(*sequence_, began_ ? nullptr : &waiter_, why_);
    leave_line();
    if (began_) sequence_->running = false;
    owner_.settle(sequence_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void began() {
    leave_line();
    began_ = sequence_->running = true;
    sequence_->ending = waiter_.end;
    if (!waiter_.start) return;
    owner_.state_bytes_ -= std::exchange(sequence_->state_bytes, 0);
    sequence_->states = owner_.layout_.initial();
    sequence_->fresh = true;
    sequence_->done = false;
  }
  void answered() {
    answered_ = true;
    sequence_->fresh = false;
    sequence_->done = waiter_.end;
  }
  void failed(const Error& why) { why_ = why; }

 private:
  void leave_line() {
    if (std::erase(sequence_->line, &waiter_) == 0) return;
    --owner_.waiting_;
    owner_.waiting_bytes_ -= waiter_.bytes;
  }

  Sequences& owner_;
  Ptr sequence_;
  Waiter& waiter_;
  Error why_{Code::Cancelled, "the caller gave an inference up"};
  bool began_ = false, answered_ = false;
};

Sequences::Sequences(std::shared_ptr<const ModelConfig> config, SequenceLayout layout,
                     Options options)
    : config_(std::move(config)),
      layout_(std::move(layout)),
      options_(options),
      slots_(std::clamp<std::size_t>(options.slots, 1, options.max_sequences)) {}

Sequences::~Sequences() = default;

void Sequences::start(runtime::Scope& scope, Clock& clock, runtime::Gauge& active,
                      std::function<Hold()> hold) {
  scope_ = &scope;
  clock_ = &clock;
  active_ = &active;
  hold_ = std::move(hold);
}

std::vector<SequenceId::Value> Sequences::ids() const {
  std::vector<SequenceId::Value> out;
  for (const auto& [id, sequence] : live_) out.push_back(id);
  return out;
}

/// The request's sequence, made if it starts one. Checks what the protocol and the bounds ask.
Result<Sequences::Ptr> Sequences::enter(const CheckedRequest& request, const Call& call) {
  const auto& id = call.sequence;
  if (request.batch != 1) {
    return Error{Code::Invalid, fmt::format("inference request to model '{}' must specify "
                                            "batch-size 1 due to requirements of sequence batcher",
                                            config_->name)};
  }
  const auto found = live_.find(id.id);
  const bool continues = found != live_.end() && !found->second->closing();
  if (!continues && !id.start) {
    return Error{Code::Invalid,
                 fmt::format("inference request for sequence {} to model '{}' must specify the "
                             "START flag on the first request of the sequence",
                             id_text(id.id), config_->name)};
  }
  if (waiting_ >= options_.max_waiting || waiting_bytes_ >= options_.max_bytes) {
    return Error{Code::Exhausted,
                 fmt::format("Exceeds maximum queue size: {} requests of sequences wait for '{}'; "
                             "retry later",
                             waiting_, config_->name)};
  }
  if (found != live_.end()) return found->second;
  if (live_.size() >= options_.max_sequences) {
    return Error{Code::Exhausted,
                 fmt::format("'{}' serves {} sequences already, its limit; end "
                             "one, or retry once one has been idle for {} ms",
                             config_->name, live_.size(), config_->sequences->idle.count() / 1000)};
  }
  auto sequence = std::make_shared<Sequence>(Sequence{.id = id.id});
  sequence->hold = hold_();
  live_.emplace(id.id, sequence);
  active_->set(static_cast<double>(live_.size()));
  seat(sequence);
  return sequence;
}

/// Gives the lowest free slot, or a place in the backlog.
void Sequences::seat(const Ptr& sequence) {
  const auto free = std::find(slots_.begin(), slots_.end(), false);
  if (free == slots_.end()) {
    backlog_.push_back(sequence);
    return;
  }
  *free = true;
  sequence->slot = static_cast<std::size_t>(free - slots_.begin());
}

void Sequences::unseat(Sequence& sequence) {
  if (!sequence.slot) {
    std::erase_if(backlog_, [&](const auto& other) { return other.get() == &sequence; });
    return;
  }
  const auto slot = *std::exchange(sequence.slot, std::nullopt);
  slots_[slot] = false;
  if (backlog_.empty()) return;
  const auto seated = std::move(backlog_.front());
  backlog_.pop_front();
  slots_[slot] = true;
  seated->slot = slot;
  next(*seated);
}

/// Lets the first in line go, if it may.
void Sequences::next(Sequence& sequence) {
  if (sequence.running || !sequence.slot) return;
  const auto found = std::find_if(sequence.line.begin(), sequence.line.end(),
                                  [](const auto* waiter) { return !waiter->failed; });
  if (found == sequence.line.end() || (*found)->turn) return;
  (*found)->turn = true;
  (*found)->woken.cancel();
}

/// What follows once a request has left the sequence.
void Sequences::settle(const Ptr& sequence) {
  if (sequence->forgotten) return;
  sequence->last = clock_->now();
  if (!sequence->idle()) {
    next(*sequence);
  } else if (sequence->fresh || sequence->done) {
    forget(sequence);
  } else {
    watch(sequence->last + config_->sequences->idle);
  }
}

/// Fails those behind `from` (null: everyone in line) up to the next START, which begins anew.
void Sequences::fail_behind(Sequence& sequence, const Waiter* from, const Error& why) {
  auto it = sequence.line.begin();
  if (from != nullptr) it = std::find(it, sequence.line.end(), from);
  if (from != nullptr && it != sequence.line.end()) ++it;
  for (; it != sequence.line.end() && !(*it)->start; ++it) {
    if ((*it)->failed) continue;
    (*it)->fail({Code::Cancelled,
                 fmt::format("an earlier request of sequence {} failed; this one was not run",
                             id_text(sequence.id)),
                 why});
  }
}

void Sequences::forget(const Ptr& sequence) {
  if (std::exchange(sequence->forgotten, true)) return;
  live_.erase(sequence->id);
  active_->set(static_cast<double>(live_.size()));
  state_bytes_ -= std::exchange(sequence->state_bytes, 0);
  sequence->states.clear();
  unseat(*sequence);
  sequence->hold.reset();
}

void Sequences::end_all(const Error& why) {
  for (const auto& [id, sequence] : std::map(live_)) {
    for (auto* waiter : std::deque<Waiter*>(sequence->line)) waiter->fail(why);
    forget(sequence);
  }
}

Result<void> Sequences::keep_states(Sequence& sequence, std::vector<Tensor> states) {
  if (sequence.forgotten) return {};
  const auto bytes = size_of(states);
  if (state_bytes_ - sequence.state_bytes + bytes > options_.max_bytes) {
    return Error{Code::Exhausted,
                 fmt::format("the states of the sequences of '{}' would take more than {} bytes",
                             config_->name, options_.max_bytes)};
  }
  state_bytes_ += bytes - sequence.state_bytes;
  sequence.state_bytes = bytes;
  sequence.states = std::move(states);
  return {};
}

/// False: the caller has gone.
Task<bool> Sequences::wait_for_turn(Waiter& waiter, const Call& call) {
  if (!waiter.turn && call.deadline) watch(*call.deadline);
  std::stop_callback gone(call.cancel, [&waiter] { waiter.woken.cancel(); });
  while (!waiter.turn && !waiter.failed) {
    if (call.cancel.stop_requested()) co_return false;
    co_await waiter.woken.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return false;
  }
  co_return true;
}

Task<Result<std::vector<Tensor>>> Sequences::infer(CheckedRequest request, Call call,
                                                   Execute execute) {
  const auto self = shared_from_this();
  auto entered = enter(request, call);
  if (!entered) co_return std::move(entered).error();
  const auto sequence = *entered;
  Waiter waiter(co_await boost::asio::this_coro::executor);
  waiter.start = call.sequence.start;
  waiter.end = call.sequence.end;
  waiter.deadline = call.deadline;
  for (const auto& input : request.inputs) waiter.bytes += input.data.size();
  Turn turn(*this, sequence, waiter);
  next(*sequence);
  if (!co_await wait_for_turn(waiter, call)) {
    co_return Error{Code::Cancelled, "the caller gave the inference up"};
  }
  if (waiter.failed) co_return std::move(*waiter.failed);
  turn.began();
  const SequenceLayout::Flags flags{.start = call.sequence.start, .end = call.sequence.end};
  auto inputs =
      layout_.inputs(std::move(request.inputs), flags, call.sequence.id, sequence->states);
  if (!inputs) {
    turn.failed(inputs.error());
    co_return std::move(inputs).error();
  }
  request.inputs = std::move(*inputs);
  if (config_->sequences->strategy == SequenceBatching::Strategy::Direct) {
    request.slot = BatchSlot{*sequence->slot / options_.lanes, *sequence->slot % options_.lanes};
  }
  auto outputs = co_await execute(std::move(request));
  auto kept = outputs ? keep_states(*sequence, layout_.take_states(*outputs))
                      : Result<void>{outputs.error()};
  if (!kept) {
    turn.failed(kept.error());
    co_return std::move(kept).error();
  }
  turn.answered();
  co_return std::move(*outputs);
}

void Sequences::watch(Instant when) {
  if (watching_ && *watching_ <= when) return;
  watching_ = when;
  scope_->spawn(look_later(shared_from_this(), when));
}

Task<void> Sequences::look_later(std::shared_ptr<Sequences> self, Instant when) {
  if (!co_await self->clock_->sleep_until(when)) co_return;
  if (self->watching_ != when) co_return;  // An earlier look has taken over.
  self->watching_.reset();
  self->tidy();
  if (const auto next = self->next_due()) self->watch(*next);
}

/// Fails requests whose deadline has passed, and forgets sequences that have been idle.
void Sequences::tidy() {
  const auto now = clock_->now();
  for (const auto& [id, sequence] : std::map(live_)) {
    for (auto* waiter : std::deque<Waiter*>(sequence->line)) {
      if (waiter->turn || waiter->failed || !waiter->deadline || *waiter->deadline > now) continue;
      const Error expired{
          Code::Timeout,
          fmt::format("Request timeout expired before '{}' could run it", config_->name)};
      waiter->fail(expired);
      fail_behind(*sequence, waiter, expired);
    }
    if (sequence->idle() && sequence->last + config_->sequences->idle <= now) forget(sequence);
  }
}

std::optional<Instant> Sequences::next_due() const {
  std::optional<Instant> next;
  const auto earlier = [&next](Instant when) {
    if (!next || when < *next) next = when;
  };
  for (const auto& [id, sequence] : live_) {
    for (const auto* waiter : sequence->line) {
      if (waiter->deadline && !waiter->failed && !waiter->turn) earlier(*waiter->deadline);
    }
    if (sequence->idle()) earlier(sequence->last + config_->sequences->idle);
  }
  return next;
}

}  // namespace infiniedge::model
