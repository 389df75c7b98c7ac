// SPDX-License-Identifier: Apache-2.0
#include "model/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <set>

#include "runtime/log.hpp"

namespace infiniedge::model {
namespace {

using boost::asio::steady_timer;

/// Builds every version. Runs on a worker.
Result<std::vector<std::shared_ptr<Served>>> build_all(const ModelDefinition& definition,
                                                       Backend& backend) {
  std::vector<std::shared_ptr<Served>> built;
  for (const auto& [version, file] : definition.files) {
    auto served = Served::build(definition.config, version, file, backend);
    if (!served) {
      return Error{served.error().code(),
                   fmt::format("failed to load '{}' version {}", definition.config.name, version),
                   std::move(served).error()};
    }
    built.push_back(std::move(*served));
  }
  return built;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The queue policy's time, or the caller's own where that is shorter and permitted. Unlike in
/// Triton it also counts without a default: a caller's deadline is never ignored silently.
std::optional<Micros> allowed_time(const Batching& batching, std::optional<Micros> asked) {
  std::optional<Micros> allowed;
  if (batching.queue.timeout > Micros{0}) allowed = batching.queue.timeout;
  if (asked && batching.queue.allow_timeout_override && (!allowed || *asked < *allowed))
    allowed = asked;
  return allowed;
}

Error unknown_model(std::string_view name) {
  return {Code::NotFound, fmt::format("Request for unknown model: '{}' is not found", name)};
}

}  // namespace

Server::Server(boost::asio::any_io_executor executor, Clock& clock, runtime::Workers& workers,
               runtime::Metrics& metrics, Options options)
    : scope_(std::move(executor)),
      machinery_{scope_, clock, workers, metrics},
      options_(std::move(options)) {}

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
  return Error{Code::Unsupported, fmt::format("this build has no backend '{}'", name)};
}

Task<Result<void>> Server::load(std::string name) {
  if (!options_.repository) {
    co_return Error{Code::NotFound,
                    fmt::format("failed to load '{}': no model repository is configured", name)};
  }
  const Repository repository(*options_.repository);
  auto read = [&repository, &name] { return repository.read(name); };
  auto definition = co_await runtime::run_on(machinery_.workers, read);
  if (!definition) {
    auto error = std::move(definition).error();
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
      for (auto& [version, slot] : found->second.versions) slot.reason = error.describe();
    } else if (error.code() != Code::NotFound) {
      entries_[name].versions[1] = {.state = State::Unavailable, .reason = error.describe()};
    }
    co_return Error{error.code(), fmt::format("failed to load '{}'", name), std::move(error)};
  }
  co_return co_await load_definition(std::move(*definition));
}

Task<Result<void>> Server::load_definition(ModelDefinition definition) {
  for (const auto& warning : definition.warnings) {
    runtime::log(runtime::Level::Warning, "model", warning, {{"resource", definition.config.name}});
  }
  auto& entry = entries_[definition.config.name];
  if (!co_await lock(entry)) co_return Error{Code::Cancelled, "loading was cancelled"};
  auto result = co_await load_locked(entry, std::move(definition));
  unlock(entry);
  co_return result;
}

Task<Result<void>> Server::load_locked(Entry& entry, ModelDefinition definition) {
  const auto name = definition.config.name;
  const auto start = machinery_.clock.now();
  entry.required = definition.config.required;
  mark_loading(entry, definition);
  auto backend = backend_for(definition.config.backend);
  Result<Built> built = backend ? Result<Built>{} : Result<Built>{backend.error()};
  if (backend) {
    auto build = [&definition, target = *backend] { return build_all(definition, *target); };
    built = co_await runtime::run_on(machinery_.workers, build);
  }
  auto& loads = machinery_.metrics.counter("infiniedge_model_load_total", "Loads of a model.",
                                           {{"model", name}, {"result", built ? "ok" : "failed"}});
  loads.add();
  if (!built) {
    mark_failed(entry, definition, built.error());
    runtime::log(runtime::Level::Error, "model", built.error().describe(), {{"resource", name}});
    co_return std::move(built).error();
  }
  swap_in(name, entry, std::move(*built));
  const auto took = std::chrono::duration<double>(machinery_.clock.now() - start).count();
  machinery_.metrics
      .gauge("nv_model_load_duration_secs", "Time of the last load.", {{"model", name}})
      .set(took);
  runtime::log(runtime::Level::Info, "model", fmt::format("serving after {:.3f} s", took),
               {{"resource", name}});
  co_return Result<void>{};
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

void Server::swap_in(const std::string& name, Entry& entry, Built built) {
  std::set<std::int64_t> fresh;
  for (auto& served : built) {
    served->start(machinery_);
    auto& slot = entry.versions[served->version()];
    auto old = std::exchange(slot.served, served);
    slot.state = State::Ready;
    slot.reason.clear();
    fresh.insert(served->version());
    publish(name, served->version(), slot.state);
    if (old) scope_.spawn(drain_out(std::move(old), nullptr, {}));
  }
  for (auto& [version, slot] : entry.versions) {
    if (!fresh.contains(version) && slot.served) retire(name, version, slot, "unloaded");
  }
}

void Server::retire(const std::string& name, std::int64_t version, Slot& slot, std::string reason) {
  auto old = std::exchange(slot.served, nullptr);
  slot.state = State::Unloading;
  publish(name, version, State::Unavailable);
  scope_.spawn(drain_out(std::move(old), &slot, std::move(reason)));
}

/// Waits for the last request; `slot` is in an entry, and those are never erased.
Task<void> Server::drain_out(std::shared_ptr<Served> old, Slot* slot, std::string reason) {
  co_await old->drain();
  if (slot == nullptr || slot->state != State::Unloading) co_return;
  slot->state = State::Unavailable;
  slot->reason = std::move(reason);
}

void Server::publish(const std::string& name, std::int64_t version, State state) {
  for (const auto each : {State::Loading, State::Ready, State::Unavailable}) {
    machinery_.metrics
        .gauge("infiniedge_model_state", "1 for the state that the version is in.",
               {{"model", name},
                {"version", std::to_string(version)},
                {"state", std::string{to_string(each)}}})
        .set(each == state ? 1 : 0);
  }
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
  std::vector<std::shared_ptr<Served>> old;
  for (auto& [version, slot] : entry.versions) {
    if (!slot.served) continue;
    old.push_back(slot.served);
    retire(name, version, slot, "unloaded");
  }
  for (const auto& served : old) co_await served->drain();
  unlock(entry);
  co_return Result<void>{};
}

Result<std::shared_ptr<Served>> Server::find(std::string_view name,
                                             std::string_view version) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return unknown_model(name);
  const auto& versions = found->second.versions;
  if (!version.empty()) {
    const auto number = number_of(version);
    const auto slot = number ? versions.find(*number) : versions.end();
    if (slot == versions.end()) {
      return Error{
          Code::NotFound,
          fmt::format("Request for unknown model: '{}' version {} is not found", name, version)};
    }
    if (slot->second.served) return slot->second.served;
  } else {
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
      if (it->second.served) return it->second.served;
    }
  }
  return Error{Code::Unavailable,
               fmt::format("Request for unknown model: '{}' has no available versions", name)};
}

std::vector<std::int64_t> Server::ready_versions(std::string_view name) const {
  std::vector<std::int64_t> out;
  const auto found = entries_.find(name);
  if (found == entries_.end()) return out;
  for (const auto& [version, slot] : found->second.versions) {
    if (slot.served) out.push_back(version);
  }
  return out;
}

std::vector<std::shared_ptr<Served>> Server::serving() const {
  std::vector<std::shared_ptr<Served>> out;
  for (const auto& [name, entry] : entries_) {
    for (const auto& [version, slot] : entry.versions) {
      if (slot.served) out.push_back(slot.served);
    }
  }
  return out;
}

Task<Result<std::vector<IndexEntry>>> Server::index(bool ready_only) {
  std::set<std::string> names;
  if (options_.repository) {
    const Repository repository(*options_.repository);
    auto list = [&repository]() -> Result<std::vector<std::string>> { return repository.names(); };
    auto found = co_await runtime::run_on(machinery_.workers, list);
    if (!found) co_return std::move(found).error();
    names.insert(found->begin(), found->end());
  }
  for (const auto& [name, entry] : entries_) names.insert(name);
  std::vector<IndexEntry> out;
  for (const auto& name : names) {
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.versions.empty()) {
      if (!ready_only) out.push_back({.name = name});
      continue;
    }
    for (const auto& [version, slot] : found->second.versions) {
      if (ready_only && slot.state != State::Ready) continue;
      out.push_back({name, version, slot.state, slot.reason});
    }
  }
  co_return out;
}

bool Server::ready() const {
  if (!started_ || stopping_) return false;
  return std::all_of(entries_.begin(), entries_.end(), [](const auto& item) {
    const auto& versions = item.second.versions;
    return !item.second.required ||
           std::any_of(versions.begin(), versions.end(), [](const auto& v) {
             return v.second.served != nullptr || v.second.reason == "unloaded" ||
                    v.second.state == State::Unloading;
           });
  });
}

Task<Result<InferResponse>> Server::infer(InferRequest request) {
  if (scope_.cancelled()) co_return Error{Code::Unavailable, "the model server is stopping"};
  auto served = find(request.model, request.version);
  if (!served) co_return std::move(served).error();
  const auto& config = (*served)->config();
  auto checked = check_request(config, std::move(request.inputs), request.outputs);
  if (!checked) co_return std::move(checked).error();
  const auto allowed = allowed_time(config.batching, request.timeout);
  std::optional<Instant> deadline;
  if (allowed) deadline = machinery_.clock.now() + *allowed;
  const auto wanted = std::move(checked->outputs);
  auto outputs = co_await (*served)->infer(std::move(*checked), deadline);
  if (!outputs) co_return std::move(outputs).error();
  InferResponse response{(*served)->config_ptr(), (*served)->version(), {}};
  if (wanted.empty()) {
    response.outputs = std::move(*outputs);
  } else {
    for (const auto at : wanted) response.outputs.push_back(std::move((*outputs)[at]));
  }
  co_return response;
}

Task<void> Server::close() {
  stopping_ = true;
  for (auto& [name, entry] : entries_) {
    for (auto& [version, slot] : entry.versions) {
      if (slot.served) slot.served->abandon();
    }
  }
  co_await scope_.close();
  entries_.clear();
}

}  // namespace infiniedge::model
