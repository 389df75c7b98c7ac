// SPDX-License-Identifier: Apache-2.0
// Room for what is loaded next, and models that nobody uses.
#include <fmt/format.h>

#include <algorithm>

#include "model/server.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {

/// Memory for every version of the definition, beside what serves now: as declared, as a trial
/// `measured` it for all versions together, or as their files let expect. Where it is short,
/// models that nobody uses go, the least recently used first.
Task<Result<Server::Leases>> Server::reserve_for(const ModelDefinition& definition,
                                                 std::uint64_t measured) {
  const auto& config = definition.config;
  auto estimate = [&]() -> Result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> out;
    for (const auto& [version, file] : definition.files) {
      const auto instances = static_cast<std::uint64_t>(config.instances);
      out.push_back(config.memory > 0 ? config.memory
                    : measured > 0    ? measured / definition.files.size()
                                      : estimated_memory(file) * instances);
    }
    return out;
  };
  const auto needed = co_await runtime::run_on(machinery_.workers, estimate);
  if (!needed) co_return needed.error();
  Leases leases;
  for (const auto bytes : *needed) {
    auto lease = memory_->reserve(bytes);
    while (!lease && co_await unload_idle(config.name)) lease = memory_->reserve(bytes);
    if (!lease) {
      co_return Error{
          Code::Exhausted,
          fmt::format("it needs about {} MiB; models hold {} of the {} MiB that they may take, and "
                      "none that could go is idle. Unload one, write swap: stop_first into "
                      "model.yaml, or give the process more memory",
                      bytes >> 20, memory_->used() >> 20, memory_->limit() >> 20)};
    }
    leases.push_back(std::move(*lease));
  }
  co_return leases;
}

/// Takes the model that was used longest ago out of service. False: none is idle.
Task<bool> Server::unload_idle(const std::string& wanted) {
  const std::string* name = nullptr;
  Entry* oldest = nullptr;
  Instant used = Instant::max();
  for (auto& [key, entry] : entries_) {
    if (key == wanted || entry.busy || entry.required) continue;
    bool idle = true, loaded = false;
    Instant last = entry.loaded_at;
    for (const auto& [version, slot] : entry.versions) {
      if (!slot.served) continue;
      loaded = true;
      idle = idle && slot.served->idle();
      last = std::max(last, slot.served->record().last_used());
    }
    if (!loaded || !idle || last >= used) continue;
    name = &key, oldest = &entry, used = last;
  }
  if (oldest == nullptr) co_return false;
  oldest->busy = true;
  auto reason = fmt::format("unloaded to make room for '{}'; the next request loads it", wanted);
  runtime::log(runtime::Level::Warning, "model", reason, {{"resource", *name}});
  co_await put_to_sleep(*name, *oldest, std::move(reason));
  unlock(*oldest);
  co_return true;
}

Task<void> Server::put_to_sleep(const std::string& name, Entry& entry, std::string reason) {
  entry.dormant = true;
  co_await take_down(name, entry, std::move(reason));
}

Task<void> Server::watch_idle(Server* self, std::string name, std::uint64_t swap) {
  auto& entry = self->entries_[name];
  while (entry.swaps == swap) {
    Instant last = entry.loaded_at;
    bool idle = !entry.busy;
    for (const auto& [version, slot] : entry.versions) {
      if (!slot.served) continue;
      last = std::max(last, slot.served->record().last_used());
      idle = idle && slot.served->idle();
    }
    const auto allowed = *entry.definition->config.idle_unload;
    const auto now = self->machinery_.clock.now();
    if (idle && now - last >= allowed) {
      entry.busy = true;
      co_await self->put_to_sleep(name, entry, "unloaded because idle; the next request loads it");
      self->unlock(entry);
      co_return;
    }
    const auto next = std::max(last + allowed, now + Micros{Seconds{1}});
    if (!co_await self->machinery_.clock.sleep_until(next)) co_return;
  }
}

Task<Result<std::shared_ptr<Served>>> Server::obtain(std::string name, std::string version) {
  auto served = find(name, version);
  const auto found = entries_.find(name);
  if (served || found == entries_.end() || !found->second.dormant) co_return served;
  auto& entry = found->second;
  if (!co_await lock(entry)) co_return Error{Code::Cancelled, "the caller gave up"};
  Result<void> loaded;
  if (entry.dormant && entry.definition) loaded = co_await load_locked(entry, *entry.definition);
  unlock(entry);
  if (!loaded) {
    co_return Error{Code::Unavailable, fmt::format("'{}' cannot be loaded again", name),
                    std::move(loaded).error()};
  }
  co_return find(name, version);
}

}  // namespace infiniedge::model
