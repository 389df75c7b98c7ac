// SPDX-License-Identifier: Apache-2.0
// From files to a version that serves, and back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "model/server.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {

using boost::asio::steady_timer;

/// One load or unload of a model at a time. False: the waiting was cancelled.
Task<bool> Server::lock(Entry& entry) {
  while (entry.busy) {
    steady_timer timer(co_await boost::asio::this_coro::executor, steady_timer::time_point::max());
    entry.waiting.push_back(&timer);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    std::erase(entry.waiting, &timer);
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return false;
  }
  entry.busy = true;
  co_return true;
}

void Server::unlock(Entry& entry) {
  entry.busy = false;
  if (!entry.waiting.empty()) entry.waiting.front()->cancel();
}

Result<Backend*> Server::backend_for(const std::string& name) const {
  for (auto* backend : backends_) {
    if (backend->name() == name) return backend;
  }
  std::vector<std::string_view> names;
  for (const auto* backend : backends_) names.push_back(backend->name());
  return Error{Code::Unsupported,
               fmt::format("no backend '{}' here (there is {}): export the model as ONNX "
                           "(model.onnx), or put the backend's plugin into the plugins folder",
                           name, fmt::join(names, ", "))};
}

Task<Result<ModelDefinition>> Server::read_definition(const std::string& name,
                                                      const LoadOverride& given) {
  std::optional<Repository> repository;
  if (options_.repository) repository.emplace(*options_.repository);
  if (!repository && given.empty()) {
    co_return Error{Code::NotFound, "no model repository is configured"};
  }
  auto read = [&]() -> Result<ModelDefinition> {
    if (given.empty()) return repository->read(name);
    return read_override(repository, options_.staging, name, given);
  };
  co_return co_await runtime::run_on(machinery_.workers, read);
}

/// A configuration that cannot be read stands in the index, beside what serves.
Error Server::note_unreadable(const std::string& name, Error error) {
  const auto found = entries_.find(name);
  if (found != entries_.end()) {
    for (auto& [version, slot] : found->second.versions) slot.reason = error.describe();
  } else if (error.code() != Code::NotFound) {
    entries_[name].versions[1] = {.state = State::Unavailable, .reason = error.describe()};
  }
  if (error.code() != Code::NotFound) {
    runtime::log(runtime::Level::Error, "model", error.describe(), {{"resource", name}});
    count_load(name, "failed");
  }
  return {error.code(), fmt::format("failed to load '{}'", name), std::move(error)};
}

Task<Result<void>> Server::load(std::string name, LoadOverride given) {
  auto definition = co_await read_definition(name, given);
  if (!definition) co_return note_unreadable(name, std::move(definition).error());
  if (auto parts = co_await load_parts(*definition); !parts) {
    co_return note_unreadable(name, std::move(parts).error());
  }
  auto& entry = entries_[name];
  const bool waits = entry.busy;
  if (!co_await lock(entry)) co_return Error{Code::Cancelled, "loading was cancelled"};
  // What was read before another load may be older than what that one loaded.
  if (waits) definition = co_await read_definition(name, given);
  Result<void> result;
  if (definition) {
    result = co_await load_locked(entry, std::move(*definition));
  } else {
    result = note_unreadable(name, std::move(definition).error());
  }
  unlock(entry);
  co_return result;
}

Task<Result<void>> Server::load_definition(ModelDefinition definition) {
  if (auto parts = co_await load_parts(definition); !parts) co_return std::move(parts).error();
  auto& entry = entries_[definition.config.name];
  if (!co_await lock(entry)) co_return Error{Code::Cancelled, "loading was cancelled"};
  auto result = co_await load_locked(entry, std::move(definition));
  unlock(entry);
  co_return result;
}

Task<Result<void>> Server::load_locked(Entry& entry, ModelDefinition definition) {
  const auto name = definition.config.name;
  const auto start = machinery_.clock.now();
  for (const auto& warning : definition.warnings) {
    runtime::log(runtime::Level::Warning, "model", warning, {{"resource", name}});
  }
  if (entry.replaced) accept(entry);  // One step back is kept, not two.
  entry.required = definition.config.required;
  entry.unloaded = false;
  mark_loading(entry, definition);
  auto built = co_await build_beside(entry, definition);
  count_load(name, built ? "ok" : "failed");
  if (!built) {
    mark_failed(entry, definition, built.error());
    runtime::log(runtime::Level::Error, "model", built.error().describe(), {{"resource", name}});
    co_await fall_back(entry, std::move(definition));
    co_return std::move(built).error();
  }
  swap_in(entry, std::move(definition), std::move(*built));
  const auto took = std::chrono::duration<double>(machinery_.clock.now() - start).count();
  machinery_.metrics
      .gauge("nv_model_load_duration_secs", "Time of the last load.", {{"model", name}})
      .set(took);
  runtime::log(runtime::Level::Info, "model", fmt::format("serving after {:.3f} s", took),
               {{"resource", name}});
  co_return Result<void>{};
}

bool Server::serves(const Entry& entry) {
  return std::any_of(entry.versions.begin(), entry.versions.end(),
                     [](const auto& item) { return item.second.served != nullptr; });
}

/// What no process survives is found out by one that we can lose. Where nothing serves yet, as at
/// the start, there is nothing to lose but time.
Task<Result<TrialReport>> Server::try_out(const Entry& entry, const ModelDefinition& definition) {
  if (options_.trial == nullptr || !serves(entry)) co_return TrialReport{};
  auto run = [this, &definition] { return options_.trial->run(definition); };
  auto report = co_await runtime::run_on(machinery_.workers, run);
  if (report) co_return report;
  co_return Error{report.error().code(), fmt::format("failed to load '{}'", definition.config.name),
                  std::move(report).error()};
}

/// Trial, memory, then the load itself; what serves goes on meanwhile, unless two copies do not
/// fit and the model permits it to stop first.
Task<Result<Built>> Server::build_beside(Entry& entry, const ModelDefinition& definition) {
  const auto& name = definition.config.name;
  if (definition.config.is_ensemble()) co_return assemble(definition);
  auto backend = backend_for(definition.config.backend);
  if (!backend) co_return std::move(backend).error();
  const auto report = co_await try_out(entry, definition);
  if (!report) co_return report.error();
  auto leases = co_await reserve_for(definition, report->memory);
  if (!leases && definition.config.stop_first) {
    co_await take_down(name, entry, "stopped before its successor loads: two do not fit");
    leases = co_await reserve_for(definition, report->memory);
  }
  if (!leases) {
    co_return Error{leases.error().code(), fmt::format("failed to load '{}'", name),
                    std::move(leases).error()};
  }
  auto build = [this, &definition, target = *backend] {
    return build_versions(definition, *target, options_.golden);
  };
  auto built = co_await runtime::run_on(machinery_.workers, build);
  for (std::size_t i = 0; built && i < built->size(); ++i) {
    (*built)[i]->keep(std::move((*leases)[i]));
  }
  co_return built;
}

/// A model of which nothing serves is worse than an older one: what served before (if it had to
/// stop), else the versions that the policy passed over, the highest first.
Task<void> Server::fall_back(Entry& entry, ModelDefinition failed) {
  if (serves(entry)) co_return;
  std::vector<ModelDefinition> candidates;
  if (entry.definition) candidates.push_back(*entry.definition);
  for (auto it = failed.older.rbegin(); it != failed.older.rend(); ++it) {
    candidates.push_back(failed);
    candidates.back().files = {*it};
  }
  for (auto& candidate : candidates) {
    auto built = co_await build_beside(entry, candidate);
    if (!built) {
      mark_failed(entry, candidate, built.error());
      continue;
    }
    runtime::log(runtime::Level::Warning, "model",
                 fmt::format("serving version {} instead", (*built).front()->version()),
                 {{"resource", candidate.config.name}});
    swap_in(entry, std::move(candidate), std::move(*built));
    co_return;
  }
}

void Server::mark_loading(Entry& entry, const ModelDefinition& definition) {
  for (const auto& [version, file] : definition.files) {
    auto& slot = entry.versions[version];
    if (slot.served) continue;  // Goes on serving.
    slot.state = State::Loading;
    publish(definition.config.name, version, slot.state);
  }
}

void Server::mark_failed(Entry& entry, const ModelDefinition& definition, const Error& error) {
  for (const auto& [version, file] : definition.files) {
    auto& slot = entry.versions[version];
    slot.reason = error.describe();
    if (!slot.served) slot.state = State::Unavailable;
    publish(definition.config.name, version, slot.state);
  }
}

/// One pointer a version. What served stays loaded, without requests, until the new is accepted.
void Server::swap_in(Entry& entry, ModelDefinition definition, Built built) {
  const auto name = definition.config.name;
  auto old = take_out(name, entry, "replaced");
  for (const auto& served : old) leave_sequences(served);
  cache_.flush(name);
  for (const auto& served : built) {
    served->start(machinery_);
    auto& slot = entry.versions[served->version()];
    slot = {.state = State::Ready, .reason = {}, .served = served};
    publish(name, served->version(), slot.state);
  }
  const auto idle_unload = definition.config.idle_unload;
  auto before = std::exchange(entry.definition, std::move(definition));
  entry.dormant = false;
  entry.loaded_at = machinery_.clock.now();
  ++entry.swaps;
  if (idle_unload) scope_.spawn(watch_idle(this, name, entry.swaps));
  if (old.empty()) return;
  entry.replaced.emplace(std::move(built), std::move(old), std::move(before));
  scope_.spawn(end_probation(this, name, entry.swaps));
}

/// Takes every version out of its slot: no request finds it from now on.
Built Server::take_out(const std::string& name, Entry& entry, const std::string& reason) {
  Built out;
  for (auto& [version, slot] : entry.versions) {
    // One that could not be loaded is not wanted any more either: readiness must not wait for it.
    if (!slot.served) slot.reason = reason;
    if (!slot.served) continue;
    out.push_back(std::exchange(slot.served, nullptr));
    slot.state = State::Unloading;
    slot.reason = reason;
    publish(name, version, State::Unavailable);
  }
  return out;
}

/// Takes the model out of service, also what a new version replaced, and waits for both.
Task<void> Server::take_down(const std::string& name, Entry& entry, std::string reason) {
  auto going = take_out(name, entry, reason);
  if (auto replaced = std::exchange(entry.replaced, std::nullopt)) {
    going.insert(going.end(), replaced->old.begin(), replaced->old.end());
  }
  ++entry.swaps;
  cache_.flush(name);
  for (const auto& served : going) {
    routes_.leave(served, SequenceRoutes::Why::Unloaded);
    auto& slot = entry.versions[served->version()];
    co_await drain_out(served, &slot, reason);
  }
}

/// Waits for the last request; `slot` is in an entry, and those are never erased.
Task<void> Server::drain_out(std::shared_ptr<Served> old, Slot* slot, std::string reason) {
  co_await old->dismantle();
  if (slot == nullptr || slot->state != State::Unloading) co_return;
  slot->state = State::Unavailable;
  slot->reason = std::move(reason);
}

void Server::publish(const std::string& name, std::int64_t version, State state) {
  const runtime::Labels labels{{"model", name}, {"version", std::to_string(version)}};
  for (const auto each : {State::Loading, State::Ready, State::Unavailable}) {
    auto with_state = labels;
    with_state.emplace_back("state", to_string(each));
    machinery_.metrics
        .gauge("infiniedge_model_state", "1 for the state that the version is in.", with_state)
        .set(each == state ? 1 : 0);
  }
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return;
  const auto& served = entry->second.versions[version].served;
  machinery_.metrics
      .gauge("infiniedge_model_memory_bytes",
             "Memory reserved for the version: measured when it was loaded on trial, else declared "
             "or estimated from its files.",
             labels)
      .set(served ? static_cast<double>(served->memory()) : 0);
}

void Server::count_load(const std::string& name, const char* result) {
  machinery_.metrics
      .counter("infiniedge_model_load_total", "Loads of a model.",
               {{"model", name}, {"result", result}})
      .add();
}

Task<void> Server::load_all() {
  if (!options_.repository) co_return;
  started_ = false;
  const Repository repository(*options_.repository);
  auto list = [&repository]() -> Result<std::vector<std::string>> { return repository.names(); };
  const auto names = co_await runtime::run_on(machinery_.workers, list);
  if (names) {
    for (const auto& name : *names) (void)co_await load(name);
  }
  started_ = true;
}

Task<Result<void>> Server::unload(std::string name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    co_return Error{Code::NotFound, fmt::format("failed to unload '{}': it is not loaded", name)};
  }
  auto& entry = found->second;
  if (!co_await lock(entry)) co_return Error{Code::Cancelled, "unloading was cancelled"};
  entry.unloaded = true;
  entry.dormant = false;
  co_await take_down(name, entry, "unloaded");
  entry.definition.reset();
  unlock(entry);
  co_return Result<void>{};
}

Task<void> Server::remove(std::string name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) co_return;
  auto& entry = found->second;
  if (!co_await lock(entry)) co_return;
  entry.required = entry.dormant = false;
  co_await take_down(name, entry, "its folder was removed from the repository");
  entry.definition.reset();
  unlock(entry);
}

bool Server::follows_disk(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return true;
  const auto& entry = found->second;
  if (entry.unloaded) return false;
  if (!entry.definition) return true;
  return !entry.definition->overridden() && options_.repository &&
         entry.definition->folder == *options_.repository / name;
}

}  // namespace infiniedge::model
