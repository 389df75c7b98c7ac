// SPDX-License-Identifier: Apache-2.0
// The first minute of a new version: what served before stays loaded and comes back if it must.
#include <fmt/format.h>

#include <algorithm>

#include "model/server.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {
namespace {

/// What `fresh` is compared with: the same version, else the highest that served.
TrackRecord& record_before(const Built& old, const Served& fresh) {
  const auto same = std::find_if(old.begin(), old.end(), [&](const auto& served) {
    return served->version() == fresh.version();
  });
  return (same == old.end() ? old.back() : *same)->record();
}

/// Says nothing about the version: the caller left, or the server had no room.
bool is_refusal(Code code) {
  return code == Code::Cancelled || code == Code::Exhausted || code == Code::Unavailable;
}

}  // namespace

void Server::note(const std::string& name, Served& served, const Error* error, Instant since,
                  bool timed) {
  if (error != nullptr && is_refusal(error->code())) return;
  const auto now = machinery_.clock.now();
  served.record().note(error != nullptr, now);
  if (error == nullptr && timed) served.record().took(now - since);
  const auto entry = entries_.find(name);
  if (entry != entries_.end() && entry->second.replaced) judge(name, entry->second, false);
}

void Server::judge(const std::string& name, Entry& entry, bool over) {
  const auto& replaced = *entry.replaced;
  bool satisfied = over;
  for (const auto& fresh : replaced.fresh) {
    const auto why =
        options_.probation.verdict(record_before(replaced.old, *fresh), fresh->record(), over);
    if (why) return roll_back(name, entry, *why);
    satisfied = satisfied || options_.probation.satisfied(fresh->record());
  }
  if (satisfied) accept(entry);
}

void Server::accept(Entry& entry) {
  auto replaced = *std::exchange(entry.replaced, std::nullopt);
  for (auto& old : replaced.old) {
    auto* slot = &entry.versions[old->version()];
    scope_.spawn(drain_out(std::move(old), slot, "unloaded"));
  }
}

void Server::roll_back(const std::string& name, Entry& entry, const std::string& why) {
  auto replaced = *std::exchange(entry.replaced, std::nullopt);
  const auto reason = fmt::format("rolled back: {}", why);
  cache_.flush(name);
  for (auto& fresh : take_out(name, entry, reason)) {
    auto* slot = &entry.versions[fresh->version()];
    leave_sequences(fresh);
    scope_.spawn(drain_out(std::move(fresh), slot, reason));
  }
  for (const auto& old : replaced.old) {
    auto& slot = entry.versions[old->version()];
    const bool same = slot.reason == reason;  // A reload of one version: the index tells of it.
    slot = {.state = State::Ready, .reason = same ? reason : "", .served = old};
    publish(name, old->version(), slot.state);
  }
  entry.definition = std::move(replaced.definition);
  if (entry.definition) entry.required = entry.definition->config.required;
  ++entry.swaps;
  count_load(name, "rolled_back");
  runtime::log(runtime::Level::Error, "model", reason, {{"resource", name}});
  if (on_rolled_back_) on_rolled_back_(name, why);
}

Task<void> Server::end_probation(Server* self, std::string name, std::uint64_t swap) {
  if (!co_await self->machinery_.clock.sleep_for(self->options_.probation.time)) co_return;
  auto& entry = self->entries_[name];
  if (entry.replaced && entry.swaps == swap) self->judge(name, entry, true);
}

}  // namespace infiniedge::model
