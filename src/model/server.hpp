// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/loading.hpp"
#include "model/request.hpp"
#include "model/response_cache.hpp"
#include "model/sequence_routes.hpp"
#include "model/track_record.hpp"

namespace infiniedge::model {

enum class State { Unknown, Loading, Ready, Unloading, Unavailable };

constexpr std::string_view to_string(State state) {
  constexpr std::string_view kNames[] = {"UNKNOWN", "LOADING", "READY", "UNLOADING", "UNAVAILABLE"};
  return kNames[static_cast<int>(state)];
}

/// A line of the repository's index. Never loaded: the name alone.
struct IndexEntry {
  std::string name;
  std::optional<std::int64_t> version{};
  State state = State::Unknown;
  std::string reason{};
};

/// Serves models: keeps them loaded, swaps versions without losing a request, answers.
///
/// Flow:    doors, decision, rules -> [Server] -> Served -> Executable
/// Thread:  one shard; files are read, models built and long executions run on `workers`.
/// Owner:   app; close() before destruction. Backends, trial and clock outlive it.
/// Errors:  NotFound (model, version), Unavailable (no version is ready), Exhausted, Timeout,
///          Invalid (request), Cancelled. A failed load leaves what was serving untouched.
class Server {
 public:
  struct Options {
    std::string name = "infiniedge";
    std::string version = "0";
    std::optional<std::filesystem::path> repository{};
    std::filesystem::path staging{};  ///< Of files that clients give; empty: a temporary folder.
    std::uint64_t memory = 0;  ///< Bytes that models may take together; 0: 60 % of the process's.
    Trial* trial = nullptr;    ///< Of what is to replace a version that serves; null: none.
    GoldenReader golden{};
    Probation probation{};
    std::size_t cache_bytes = 64U << 20;  ///< For answers of models that have them kept.
  };
  using RolledBack = std::function<void(const std::string& model, const std::string& why)>;

  Server(boost::asio::any_io_executor executor, Clock& clock, runtime::Workers& workers,
         runtime::Metrics& metrics, Options options);

  /// Adds a runtime. Before the first load.
  void add(Backend& backend) { backends_.push_back(&backend); }
  /// Calls back when a new version did not prove itself and the old one serves again.
  void on_rolled_back(RolledBack call) { on_rolled_back_ = std::move(call); }

  /// Loads or reloads a model of the repository: builds beside what serves, warms up, checks the
  /// golden cases, swaps one pointer, and keeps the old until the new has proven itself. Returns
  /// once the new one serves. `given` replaces the files of the repository for this load.
  Task<Result<void>> load(std::string name, LoadOverride given = {});
  /// The same from a definition, for models that live outside the repository.
  Task<Result<void>> load_definition(ModelDefinition definition);
  /// Loads every model of the repository; failures stand in the index and the log.
  Task<void> load_all();
  /// Takes the model out of service and waits for requests on it. It stays so until a load.
  Task<Result<void>> unload(std::string name);
  /// The model's folder is gone: the same, but a folder that comes back is loaded.
  Task<void> remove(std::string name);
  /// True for a model that serves what its folder says: not one that a client unloaded, gave
  /// another configuration, or that lives elsewhere.
  bool follows_disk(std::string_view name) const;
  /// The same for an ensemble and those of its models that no other ensemble uses.
  Task<Result<void>> unload_with_parts(std::string name);

  Task<Result<InferResponse>> infer(InferRequest request);

  /// The version that would answer. `version` empty: the highest that is ready.
  Result<std::shared_ptr<Served>> find(std::string_view name, std::string_view version = {}) const;
  /// The same; loads a model again that was unloaded because nobody used it.
  Task<Result<std::shared_ptr<Served>>> obtain(std::string name, std::string version);
  /// Versions that are ready, ascending; empty if none or unknown.
  std::vector<std::int64_t> ready_versions(std::string_view name) const;
  /// Everything in the repository or ever loaded.
  Task<Result<std::vector<IndexEntry>>> index(bool ready_only);
  /// Versions that are serving, by name and number.
  std::vector<std::shared_ptr<Served>> serving() const;

  /// True once the first loading is over and every required model has a ready version.
  bool ready() const;
  /// Not ready from now on: the process is going down.
  void stop_accepting() { stopping_ = true; }
  const Options& options() const { return options_; }
  const MemoryBudget& memory() const { return *memory_; }

  /// Ends background work, fails what is queued, waits for executions.
  Task<void> close();

 private:
  struct Slot {
    State state = State::Unknown;
    std::string reason{};
    std::shared_ptr<Served> served{};
  };
  /// What a new version replaced, until it has proven itself.
  struct Replaced {
    Built fresh, old;
    std::optional<ModelDefinition> definition;
  };
  struct Entry {
    std::map<std::int64_t, Slot> versions;
    bool busy = false;      ///< A load or unload is under way; the next one waits.
    bool required = false;  ///< Of the configuration that was loaded last.
    bool unloaded = false;  ///< By a client; only a client loads it again.
    bool dormant = false;   ///< Unloaded to save memory; the next request loads `definition`.
    std::optional<ModelDefinition> definition;  ///< Of what serves or is dormant.
    std::optional<Replaced> replaced;
    std::uint64_t swaps = 0;
    Instant loaded_at{};
    std::vector<boost::asio::steady_timer*> waiting;
  };
  using Leases = std::vector<MemoryBudget::Lease>;

  // server_load.cpp: from a file to a version that serves, and back.
  Task<bool> lock(Entry& entry);
  void unlock(Entry& entry);
  Task<Result<ModelDefinition>> read_definition(const std::string& name, const LoadOverride& given);
  Error note_unreadable(const std::string& name, Error error);
  Task<Result<void>> load_locked(Entry& entry, ModelDefinition definition);
  static bool serves(const Entry& entry);
  Task<Result<Built>> build_beside(Entry& entry, const ModelDefinition& definition);
  Task<Result<TrialReport>> try_out(const Entry& entry, const ModelDefinition& definition);
  Task<void> fall_back(Entry& entry, ModelDefinition failed);
  Result<Backend*> backend_for(const std::string& name) const;
  void mark_loading(Entry& entry, const ModelDefinition& definition);
  void mark_failed(Entry& entry, const ModelDefinition& definition, const Error& error);
  void swap_in(Entry& entry, ModelDefinition definition, Built built);
  Built take_out(const std::string& name, Entry& entry, const std::string& reason);
  Task<void> take_down(const std::string& name, Entry& entry, std::string reason);
  void publish(const std::string& name, std::int64_t version, State state);
  void count_load(const std::string& name, const char* result);
  // server_ensemble.cpp
  Task<Result<void>> load_parts(const ModelDefinition& definition);
  Result<Built> assemble(const ModelDefinition& definition) const;
  Result<std::shared_ptr<Served>> with_parts(const std::shared_ptr<Served>& served) const;
  Result<void> parts_ready(const ModelConfig& config) const;
  // server_infer.cpp
  void leave_sequences(const std::shared_ptr<Served>& old);
  static Task<void> end_sequences_later(Server& server, std::weak_ptr<Served> old);
  Task<Result<std::vector<Tensor>>> answer(std::shared_ptr<Served> served, InferRequest& request,
                                           CheckedRequest checked, std::optional<Instant> deadline);
  Task<Result<std::vector<Tensor>>> answer_or_recall(std::shared_ptr<Served> served,
                                                     InferRequest& request, CheckedRequest checked,
                                                     std::optional<Instant> deadline);
  static Task<void> drain_out(std::shared_ptr<Served> old, Slot* slot, std::string reason);

  // server_probation.cpp: the first minute of a new version.
  void judge(const std::string& name, Entry& entry, bool over);
  void accept(Entry& entry);
  void roll_back(const std::string& name, Entry& entry, const std::string& why);
  static Task<void> end_probation(Server* self, std::string name, std::uint64_t swap);
  void note(const std::string& name, Served& served, const Error* error, Instant since, bool timed);

  // server_room.cpp: memory for what is loaded, and models that nobody uses.
  Task<Result<Leases>> reserve_for(const ModelDefinition& definition, std::uint64_t measured);
  Task<bool> unload_idle(const std::string& wanted);
  Task<void> put_to_sleep(const std::string& name, Entry& entry, std::string reason);
  static Task<void> watch_idle(Server* self, std::string name, std::uint64_t swap);

  Options options_;
  std::shared_ptr<MemoryBudget> memory_;
  runtime::Scope scope_;
  Machinery machinery_;
  std::vector<Backend*> backends_;
  RolledBack on_rolled_back_;
  std::map<std::string, Entry, std::less<>> entries_;  ///< Entries are never erased.
  SequenceRoutes routes_;
  runtime::SystemEntropy entropy_;
  ResponseCache cache_;
  bool started_ = true;
  bool stopping_ = false;
};

}  // namespace infiniedge::model
