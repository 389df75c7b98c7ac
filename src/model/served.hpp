// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "infiniedge/backend.hpp"
#include "infiniedge/time.hpp"
#include "model/cost.hpp"
#include "model/ensemble.hpp"
#include "model/memory.hpp"
#include "model/request.hpp"
#include "model/sequences.hpp"
#include "model/statistics.hpp"
#include "model/track_record.hpp"
#include "runtime/scope.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::model {

/// What the versions of a server share.
struct Machinery {
  runtime::Scope& scope;
  Clock& clock;
  runtime::Workers& workers;
  runtime::Metrics& metrics;
};

/// One version of a model that is being served: its instances and the queue before them.
///
/// Flow:    Server -> [Served] -> Executable
/// Thread:  build() on a worker; everything else on the server's shard. Executions run on the
///          shard when the version is idle and costs ≤ 200 µs, else on a worker.
/// Owner:   shared by the server and by every request on it; a swapped-out version dies with its
///          last request.
/// Errors:  Exhausted (queue full), Timeout (deadline before execution), Cancelled, else what
///          the executable says.
class Served : public std::enable_shared_from_this<Served> {
 public:
  /// Loads every instance, completes `config` from the model, and warms up with zeros.
  static Result<std::shared_ptr<Served>> build(ModelConfig config, std::int64_t version,
                                               const std::filesystem::path& file, Backend& backend);
  /// An ensemble, which has no model of its own; the server runs its steps.
  static Result<std::shared_ptr<Served>> assemble(ModelConfig config, std::int64_t version);
  ~Served();

  /// Runs once, before the version answers: warm-up and golden cases. Thread: a worker.
  /// A model with sequences sees the inputs as the first of one.
  Result<std::vector<Tensor>> rehearse(std::size_t instance, const std::vector<Tensor>& inputs);
  /// Puts the version onto the shard: from now on it answers.
  void start(const Machinery& machinery);
  /// Memory that was reserved for it; given back at its end.
  void keep(MemoryBudget::Lease lease) { lease_ = std::move(lease); }
  std::uint64_t memory() const { return lease_.bytes(); }
  /// Answers one checked request with all outputs. The caller keeps the version alive.
  Task<Result<std::vector<Tensor>>> infer(CheckedRequest request, std::optional<Instant> deadline);
  /// Null unless requests of this model belong to sequences.
  Sequences* sequences() const { return sequences_.get(); }
  /// Null unless this is an ensemble.
  const std::shared_ptr<const EnsembleGraph>& graph() const { return graph_; }
  /// Counts as a request for drain() while it lives. The version outlives it.
  std::shared_ptr<void> hold() { return std::make_shared<InFlight>(*this); }
  /// Accounts for what was not executed here: steps of an ensemble, an answer from the cache, a
  /// request that failed while its sequence kept it waiting.
  void ran_steps(std::int64_t batch, std::uint64_t ns);
  void looked_up(bool hit, std::uint64_t ns);
  void failed_outside(const Error& error, std::uint64_t ns);
  /// Completes once no request is left on this version.
  Task<void> drain();
  /// The same, then frees its instances and gives its memory back.
  Task<void> dismantle();
  /// Fails everything queued: the server is closing.
  void abandon();

  const ModelConfig& config() const { return *config_; }
  const std::shared_ptr<const ModelConfig>& config_ptr() const { return config_; }
  std::int64_t version() const { return version_; }
  const std::string& device() const { return device_; }
  const Statistics& statistics() const { return statistics_; }
  const CostModel& cost() const { return cost_; }
  std::size_t queued() const { return queue_.size(); }
  std::size_t instances() const { return instances_.size(); }
  /// No request is on it.
  bool idle() const { return in_flight_ == (measuring_ ? 1U : 0U); }
  TrackRecord& record() { return record_; }
  /// When a refused caller may try again.
  Micros retry_after() const;
  /// True once every batch size has been measured.
  bool measured() const { return measured_; }

 private:
  struct Group;
  struct Pending;
  struct Instance {
    std::unique_ptr<Executable> executable;
    bool busy = false;
  };
  using PendingPtr = std::shared_ptr<Pending>;
  /// Requests that are one execution.
  struct Group {
    std::vector<PendingPtr> members;
    std::int64_t batch = 0;
    std::stop_source stop;
    std::size_t live = 0;
    std::vector<Tensor> absent{};  ///< Row of a slot without a request.
  };
  struct Outcome {
    Result<std::vector<std::vector<Tensor>>> parts;
    Timing timing;
  };

  /// Counts a request for drain(), whichever way it ends.
  class InFlight {
   public:
    explicit InFlight(Served& served) : served_(served) { ++served_.in_flight_; }
    ~InFlight();
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

   private:
    Served& served_;
  };

  Served(ModelConfig config, std::int64_t version);
  Result<void> load_instances(const std::filesystem::path& file, Backend& backend);
  Result<void> settle_sequences(ModelConfig& config);
  Result<void> warm_up();

  Instance* idle_instance();
  std::size_t queue_limit() const;
  std::int64_t batch_limit() const;
  bool run_here(std::int64_t batch) const;
  Result<void> admit(std::optional<Instant> deadline);
  Task<Result<std::vector<Tensor>>> infer_here(CheckedRequest request, Instance& instance);
  Task<Result<std::vector<Tensor>>> infer_queued(CheckedRequest request,
                                                 std::optional<Instant> deadline);
  void give_up(const PendingPtr& pending);
  void pump();
  bool should_send();
  std::shared_ptr<Group> take_group();
  void expire();
  void watch_deadline(Instant when);
  void settle(Group& group, Outcome outcome);
  void account(const Group& group, const Outcome& outcome);
  void finish(const PendingPtr& pending, Result<std::vector<Tensor>> result);

  void place(Group& group) const;
  static Outcome execute(Executable& executable, const Group& group, std::stop_token stop);
  static Task<void> run_group(std::shared_ptr<Served> self, Instance* instance,
                              std::shared_ptr<Group> group);
  static Task<void> measure(std::shared_ptr<Served> self);
  static Task<void> reap(std::shared_ptr<Served> self, Instant when);
  static Task<void> wake_later(std::shared_ptr<Served> self, Instant when);

  std::shared_ptr<const ModelConfig> config_;
  std::int64_t version_;
  std::string device_;
  std::vector<Instance> instances_;
  CostModel cost_{1};
  bool measured_ = false;
  bool measuring_ = false;     ///< Right now; counts as in flight.
  bool retired_ = false;       ///< Measuring it any further is of no use.
  std::vector<IoConfig> fed_;  ///< Inputs of the model itself: with controls and states.
  std::shared_ptr<Sequences> sequences_;
  std::shared_ptr<const EnsembleGraph> graph_;

  const Machinery* machinery_ = nullptr;
  MemoryBudget::Lease lease_;
  std::optional<VersionMetrics> metrics_;
  Statistics statistics_;
  TrackRecord record_;
  std::deque<PendingPtr> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t in_flight_ = 0;
  std::optional<Instant> reaping_;  ///< When the next expiry is looked for.
  std::optional<Instant> waking_;   ///< When a delayed batch is sent.
  std::vector<boost::asio::steady_timer*> drained_;
};

}  // namespace infiniedge::model
