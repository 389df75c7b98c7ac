// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/repository.hpp"
#include "model/request.hpp"
#include "model/served.hpp"

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
/// Owner:   app; close() before destruction. Backends and clock outlive it.
/// Errors:  NotFound (model, version), Unavailable (no version is ready), Exhausted, Timeout,
///          Invalid (request), Cancelled. A failed load leaves what was serving untouched.
class Server {
 public:
  struct Options {
    std::string name = "infiniedge";
    std::string version = "0";
    std::optional<std::filesystem::path> repository{};
  };

  Server(boost::asio::any_io_executor executor, Clock& clock, runtime::Workers& workers,
         runtime::Metrics& metrics, Options options);

  /// Adds a runtime. Before the first load.
  void add(Backend& backend) { backends_.push_back(&backend); }

  /// Loads or reloads a model of the repository: builds beside what serves, warms up, swaps one
  /// pointer, drains the old. Returns once the new one serves.
  Task<Result<void>> load(std::string name);
  /// The same from a definition, for models that live outside the repository.
  Task<Result<void>> load_definition(ModelDefinition definition);
  /// Loads every model of the repository; failures stand in the index and the log.
  Task<void> load_all();
  /// Takes the model out of service and waits for requests on it.
  Task<Result<void>> unload(std::string name);

  Task<Result<InferResponse>> infer(InferRequest request);

  /// The version that would answer. `version` empty: the highest that is ready.
  Result<std::shared_ptr<Served>> find(std::string_view name, std::string_view version = {}) const;
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

  /// Ends background work, fails what is queued, waits for executions.
  Task<void> close();

 private:
  struct Slot {
    State state = State::Unknown;
    std::string reason{};
    std::shared_ptr<Served> served{};
  };
  struct Entry {
    std::map<std::int64_t, Slot> versions;
    bool busy = false;      ///< A load or unload is under way; the next one waits.
    bool required = false;  ///< Of the configuration that was loaded last.
    std::vector<boost::asio::steady_timer*> waiting;
  };
  using Built = std::vector<std::shared_ptr<Served>>;

  Task<bool> lock(Entry& entry);
  void unlock(Entry& entry);
  Task<Result<void>> load_locked(Entry& entry, ModelDefinition definition);
  Result<Backend*> backend_for(const std::string& name) const;
  void mark_loading(Entry& entry, const ModelDefinition& definition);
  void mark_failed(Entry& entry, const ModelDefinition& definition, const Error& error);
  void swap_in(const std::string& name, Entry& entry, Built built);
  void retire(const std::string& name, std::int64_t version, Slot& slot, std::string reason);
  void publish(const std::string& name, std::int64_t version, State state);
  static Task<void> drain_out(std::shared_ptr<Served> old, Slot* slot, std::string reason);

  runtime::Scope scope_;
  Machinery machinery_;
  Options options_;
  std::vector<Backend*> backends_;
  std::map<std::string, Entry, std::less<>> entries_;  ///< Entries are never erased.
  bool started_ = true;
  bool stopping_ = false;
};

}  // namespace infiniedge::model
