// SPDX-License-Identifier: Apache-2.0
#include "model/served.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "model/batch.hpp"
#include "model/pending.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {
namespace {

using boost::asio::steady_timer;
using Nanos = std::chrono::nanoseconds;

constexpr Nanos kInline = std::chrono::microseconds{200};  // Costs more to hand over than to run.
constexpr std::size_t kMaxQueueBytes = 64U << 20;
constexpr Nanos kQueueTime = std::chrono::milliseconds{500};  // Worth of work that may wait.
constexpr Nanos kWorthStopping = std::chrono::milliseconds{5};

bool same_lane(const auto& a, const auto& b) {
  return a.slot.has_value() == b.slot.has_value() && (!a.slot || a.slot->lane == b.slot->lane);
}

Error expired(const std::string& model) {
  return {Code::Timeout, fmt::format("Request timeout expired before '{}' could run it", model)};
}

}  // namespace

Served::Served(ModelConfig config, std::int64_t version)
    : config_(std::make_shared<ModelConfig>(std::move(config))), version_(version) {}

Served::~Served() {
  if (machinery_ == nullptr) return;
  // Freeing a session takes milliseconds: not on the shard.
  auto doomed = std::make_shared<std::vector<Instance>>(std::move(instances_));
  boost::asio::post(machinery_->workers.pool(), [doomed]() mutable { doomed.reset(); });
}

void Served::start(const Machinery& machinery) {
  machinery_ = &machinery;
  metrics_.emplace(machinery.metrics, config_->name, version_);
  if (sequences_) {
    sequences_->start(machinery.scope, machinery.clock, metrics_->sequences_active(),
                      [this] { return hold(); });
  }
  if (graph_) return;
  metrics_->placed(device_, instances_.front().executable->refusals());
  machinery.scope.spawn(measure(shared_from_this()));
}

Micros Served::retry_after() const {
  const auto wait = cost_.item() * static_cast<std::int64_t>(queue_.size() + 1);
  return std::max<Micros>(Millis{1}, std::chrono::duration_cast<Micros>(wait));
}

Served::Instance* Served::idle_instance() {
  const auto found = std::find_if(instances_.begin(), instances_.end(),
                                  [](const auto& instance) { return !instance.busy; });
  return found == instances_.end() ? nullptr : &*found;
}

std::size_t Served::queue_limit() const {
  if (config_->batching.queue.max_size > 0) return config_->batching.queue.max_size;
  const auto item = std::max<std::int64_t>(1, cost_.item().count());
  return static_cast<std::size_t>(std::clamp<std::int64_t>(kQueueTime.count() / item, 8, 1024));
}

/// Items of one execution: as declared, else what the measurement found worthwhile.
std::int64_t Served::batch_limit() const {
  const auto& batching = config_->batching;
  if (!batching.enabled) return 1;
  // A direct sequence's row is computed whether or not its request comes along.
  if (config_->sequences && !batching.preferred.empty()) return config_->max_batch();
  if (batching.max_delay > Micros{0} || !batching.preferred.empty()) return config_->max_batch();
  return cost_.best();
}

bool Served::run_here(std::int64_t batch) const {
  const auto cost = cost_.of(batch);
  return queue_.empty() && config_->batching.max_delay == Micros{0} && cost > Nanos{0} &&
         cost <= kInline;
}

Result<void> Served::admit(std::optional<Instant> deadline) {
  if (deadline && *deadline <= machinery_->clock.now()) {
    metrics_->rejected("deadline");
    return expired(config_->name);
  }
  if (queue_.size() >= queue_limit() || queued_bytes_ >= kMaxQueueBytes) {
    metrics_->rejected("queue_full");
    return Error{Code::Exhausted,
                 fmt::format("Exceeds maximum queue size: {} requests wait for '{}'; retry later",
                             queue_.size(), config_->name)};
  }
  return {};
}

Task<Result<std::vector<Tensor>>> Served::infer(CheckedRequest request,
                                                std::optional<Instant> deadline) {
  if (auto admitted = admit(deadline); !admitted) {
    statistics_.fail.add(0);
    co_return std::move(admitted).error();
  }
  const InFlight counted(*this);
  Instance* instance = run_here(request.batch) ? idle_instance() : nullptr;
  if (instance != nullptr) co_return co_await infer_here(std::move(request), *instance);
  co_return co_await infer_queued(std::move(request), deadline);
}

/// Runs on the shard: nothing of this version can happen meanwhile.
Task<Result<std::vector<Tensor>>> Served::infer_here(CheckedRequest request, Instance& instance) {
  Group group;
  auto pending = std::make_shared<Pending>(co_await boost::asio::this_coro::executor,
                                           std::move(request), std::nullopt);
  group.members.push_back(pending);
  group.batch = pending->batch;
  place(group);
  settle(group, execute(*instance.executable, group, {}));
  co_return std::move(*pending->result);
}

Task<Result<std::vector<Tensor>>> Served::infer_queued(CheckedRequest request,
                                                       std::optional<Instant> deadline) {
  auto pending = std::make_shared<Pending>(co_await boost::asio::this_coro::executor,
                                           std::move(request), deadline);
  pending->queued_at = machinery_->clock.now();
  queue_.push_back(pending);
  queued_bytes_ += pending->bytes;
  metrics_->pending(queue_.size());
  pump();
  if (deadline && !pending->result && pending->group == nullptr) watch_deadline(*deadline);
  while (!pending->result) {
    co_await pending->done.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (!pending->result && state.cancelled() != boost::asio::cancellation_type::none) {
      give_up(pending);
      co_return Error{Code::Cancelled, "the caller gave the inference up"};
    }
  }
  co_return std::move(*pending->result);
}

/// The caller is gone: take the request out of the queue, or stop an execution nobody wants.
void Served::give_up(const PendingPtr& pending) {
  pending->abandoned = true;
  const auto found = std::find(queue_.begin(), queue_.end(), pending);
  metrics_->cancelled(found != queue_.end() ? "queue" : "execute");
  statistics_.fail.add(0);
  if (found != queue_.end()) {
    queue_.erase(found);
    queued_bytes_ -= pending->bytes;
    metrics_->pending(queue_.size());
    return;
  }
  const auto group = pending->group;
  if (group != nullptr && --group->live == 0 && cost_.of(group->batch) > kWorthStopping) {
    group->stop.request_stop();
  }
}

Served::InFlight::~InFlight() {
  if (--served_.in_flight_ > 0) return;
  for (auto* timer : served_.drained_) timer->cancel();
}

Task<void> Served::drain() {
  retired_ = true;
  while (in_flight_ > 0) {
    steady_timer timer(co_await boost::asio::this_coro::executor, steady_timer::time_point::max());
    drained_.push_back(&timer);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    std::erase(drained_, &timer);
  }
}

Task<void> Served::dismantle() {
  co_await drain();
  auto doomed = std::make_shared<std::vector<Instance>>(std::move(instances_));
  instances_.clear();
  auto lease = std::move(lease_);
  // Freeing a session takes milliseconds: not on the shard.
  auto job = [&doomed]() -> Result<void> {
    doomed->clear();
    return {};
  };
  (void)co_await runtime::run_on(machinery_->workers, job);
}

void Served::abandon() {
  if (sequences_) sequences_->end_all({Code::Unavailable, "the model server is stopping"});
  auto queue = std::move(queue_);
  queue_.clear();
  queued_bytes_ = 0;
  for (const auto& pending : queue) {
    metrics_->rejected("shutdown");
    finish(pending, Error{Code::Unavailable, "the model server is stopping"});
  }
}

void Served::finish(const PendingPtr& pending, Result<std::vector<Tensor>> result) {
  pending->result.emplace(std::move(result));
  pending->done.cancel();
}

/// Starts as many executions as there are idle instances and batches worth sending.
void Served::pump() {
  expire();
  while (!queue_.empty() && should_send()) {
    Instance* instance = idle_instance();
    if (instance == nullptr) return;
    instance->busy = true;
    machinery_->scope.spawn(run_group(shared_from_this(), instance, take_group()));
  }
}

/// Without a declared delay: always. With one: on a preferred or full size, or once the oldest
/// has waited that long.
bool Served::should_send() {
  const auto& batching = config_->batching;
  if (batching.max_delay == Micros{0}) return true;
  std::int64_t items = 0;
  for (const auto& pending : queue_) items += pending->batch;
  const auto enough = batching.preferred.empty()
                          ? config_->max_batch()
                          : *std::min_element(batching.preferred.begin(), batching.preferred.end());
  if (items >= enough) return true;
  const auto due = queue_.front()->queued_at + batching.max_delay;
  if (due <= machinery_->clock.now()) return true;
  if (!waking_ || due < *waking_) {
    waking_ = due;
    machinery_->scope.spawn(wake_later(shared_from_this(), due));
  }
  return false;
}

/// The oldest request and those behind it with the same shapes, up to the worthwhile batch.
std::shared_ptr<Served::Group> Served::take_group() {
  auto group = std::make_shared<Group>();
  const auto limit = batch_limit();
  for (auto it = queue_.begin(); it != queue_.end();) {
    const auto& pending = *it;
    const bool first = group->members.empty();
    const bool joins = first || (group->batch + pending->batch <= limit &&
                                 same_lane(*group->members[0], *pending) &&
                                 same_shapes(group->members[0]->inputs, pending->inputs));
    if (!joins) {
      ++it;
      continue;
    }
    pending->started_at = std::chrono::steady_clock::now();
    pending->group = group;
    group->batch += pending->batch;
    queued_bytes_ -= pending->bytes;
    group->members.push_back(pending);
    it = queue_.erase(it);
    if (group->batch >= limit) break;
  }
  group->live = group->members.size();
  place(*group);
  metrics_->pending(queue_.size());
  return group;
}

/// Work whose deadline has passed is never started.
void Served::expire() {
  const auto now = machinery_->clock.now();
  std::vector<PendingPtr> late;
  std::erase_if(queue_, [&](const PendingPtr& pending) {
    if (!pending->deadline || *pending->deadline > now) return false;
    late.push_back(pending);
    return true;
  });
  for (const auto& pending : late) {
    queued_bytes_ -= pending->bytes;
    metrics_->rejected("deadline");
    statistics_.fail.add(0);
    finish(pending, expired(config_->name));
  }
  if (!late.empty()) metrics_->pending(queue_.size());
}

void Served::watch_deadline(Instant when) {
  if (reaping_ && *reaping_ <= when) return;
  reaping_ = when;
  machinery_->scope.spawn(reap(shared_from_this(), when));
}

Task<void> Served::reap(std::shared_ptr<Served> self, Instant when) {
  if (!co_await self->machinery_->clock.sleep_until(when)) co_return;
  if (self->reaping_ == when) self->reaping_.reset();
  self->expire();
  std::optional<Instant> next;
  for (const auto& pending : self->queue_) {
    if (pending->deadline && (!next || *pending->deadline < *next)) next = pending->deadline;
  }
  if (next) self->watch_deadline(*next);
}

Task<void> Served::wake_later(std::shared_ptr<Served> self, Instant when) {
  if (!co_await self->machinery_->clock.sleep_until(when)) co_return;
  if (self->waking_ == when) self->waking_.reset();
  self->pump();
}

/// Direct sequences: rows in the order of their slots, and what stands in those between.
void Served::place(Group& group) const {
  auto& members = group.members;
  if (members.empty() || !members.front()->slot) return;
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a->slot->position < b->slot->position; });
  if (members.back()->slot->position < members.size()) return;
  group.absent = sequences_->layout().absent(members.front()->inputs);
}

Served::Outcome Served::execute(Executable& executable, const Group& group, std::stop_token stop) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<const std::vector<Tensor>*> inputs;
  std::vector<std::int64_t> sizes;
  for (const auto& pending : group.members) {
    while (pending->slot && inputs.size() < pending->slot->position) {
      inputs.push_back(&group.absent);
      sizes.push_back(1);
    }
    inputs.push_back(&pending->inputs);
    sizes.push_back(pending->batch);
  }
  const auto gathered = gather(inputs);
  const auto ready = std::chrono::steady_clock::now();
  auto outputs = executable.run(gathered, stop);
  const auto ran = std::chrono::steady_clock::now();
  Outcome outcome{.parts = {}, .timing = {}};
  if (outputs) {
    outcome.parts = scatter(std::move(*outputs), sizes);
    if (outcome.parts && sizes.size() > group.members.size()) {
      std::vector<std::vector<Tensor>> present;
      for (const auto& member : group.members) {
        present.push_back(std::move((*outcome.parts)[member->slot->position]));
      }
      outcome.parts = std::move(present);
    }
  } else {
    outcome.parts = std::move(outputs).error();
  }
  const auto end = std::chrono::steady_clock::now();
  const auto ns = [](auto d) { return static_cast<std::uint64_t>(Nanos{d}.count()); };
  outcome.timing = {ns(ready - start), ns(ran - ready), ns(end - ran)};
  return outcome;
}

Task<void> Served::run_group(std::shared_ptr<Served> self, Instance* instance,
                             std::shared_ptr<Group> group) {
  // Once taken from the queue a group is always answered, also while the server closes.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Executable* executable = instance->executable.get();
  auto job = [executable, group]() -> Result<Outcome> {
    return execute(*executable, *group, group->stop.get_token());
  };
  auto outcome = co_await runtime::run_on(self->machinery_->workers, job);
  instance->busy = false;
  if (outcome) {
    self->settle(*group, std::move(*outcome));
  } else {
    Outcome failed{.parts = std::move(outcome).error(), .timing = {}};
    self->settle(*group, std::move(failed));
  }
  self->pump();
}

void Served::settle(Group& group, Outcome outcome) {
  if (outcome.parts) account(group, outcome);
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    const auto& pending = group.members[i];
    pending->group.reset();
    if (pending->abandoned) continue;
    if (!outcome.parts) {
      metrics_->failed(Failure::Backend);
      statistics_.fail.add(outcome.timing.infer);
      finish(pending, outcome.parts.error());
      continue;
    }
    const auto queue_ns = pending->queue_ns();
    const auto& t = outcome.timing;
    const auto total = queue_ns + t.input + t.infer + t.output;
    statistics_.success.add(total);
    statistics_.queue.add(queue_ns);
    metrics_->succeeded(queue_ns, total);
    finish(pending, std::move((*outcome.parts)[i]));
  }
}

void Served::account(const Group& group, const Outcome& outcome) {
  const auto& t = outcome.timing;
  const auto requests = static_cast<std::uint64_t>(group.members.size());
  statistics_.last_inference_ms =
      std::chrono::floor<Millis>(machinery_->clock.wall()).time_since_epoch().count();
  statistics_.inferences += static_cast<std::uint64_t>(group.batch);
  ++statistics_.executions;
  statistics_.compute_input.add(t.input * requests, requests);
  statistics_.compute_infer.add(t.infer * requests, requests);
  statistics_.compute_output.add(t.output * requests, requests);
  auto& size = statistics_.batches[group.batch];
  size.compute_input.add(t.input);
  size.compute_infer.add(t.infer);
  size.compute_output.add(t.output);
  metrics_->executed(group.batch, t, requests);
  cost_.observed(group.batch, Nanos{static_cast<std::int64_t>(t.infer)});
}

}  // namespace infiniedge::model
