// SPDX-License-Identifier: Apache-2.0
#include "model/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/limits.hpp"

namespace infiniedge::model {
namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t model_memory(std::uint64_t given) {
  return given > 0 ? given : runtime::read_limits().memory / 100 * kModelPercent;
}

Error unknown_model(std::string_view name) {
  return {Code::NotFound, fmt::format("Request for unknown model: '{}' is not found", name)};
}

}  // namespace

Server::Server(boost::asio::any_io_executor executor, Clock& clock, runtime::Workers& workers,
               runtime::Metrics& metrics, Options options)
    : options_(std::move(options)),
      memory_(std::make_shared<MemoryBudget>(model_memory(options_.memory))),
      scope_(std::move(executor)),
      machinery_{scope_, clock, workers, metrics},
      cache_(options_.cache_bytes, entropy_) {
  if (options_.staging.empty()) {
    options_.staging = std::filesystem::temp_directory_path() / "infiniedge-staging";
  }
}

/// An ensemble answers only while every model that it consists of does.
Result<std::shared_ptr<Served>> Server::with_parts(const std::shared_ptr<Served>& served) const {
  if (served->graph()) INFINIEDGE_TRY(parts_ready(served->config()));
  return served;
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
    if (slot->second.served) return with_parts(slot->second.served);
  } else {
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
      if (it->second.served) return with_parts(it->second.served);
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
      const auto whole = slot.served ? with_parts(slot.served) : slot.served;
      if (whole) {
        out.push_back({name, version, slot.state, slot.reason});
      } else if (!ready_only) {
        out.push_back({name, version, State::Unavailable, whole.error().message()});
      }
    }
  }
  co_return out;
}

bool Server::ready() const {
  if (!started_ || stopping_) return false;
  return std::all_of(entries_.begin(), entries_.end(), [](const auto& item) {
    const auto& versions = item.second.versions;
    const bool excused = !item.second.required || item.second.unloaded || item.second.dormant;
    return excused || std::any_of(versions.begin(), versions.end(),
                                  [](const auto& v) { return v.second.served != nullptr; });
  });
}

Task<void> Server::close() {
  stopping_ = true;
  for (auto& [name, entry] : entries_) {
    for (auto& [version, slot] : entry.versions) {
      if (slot.served) slot.served->abandon();
    }
    if (!entry.replaced) continue;
    for (const auto& served : entry.replaced->old) served->abandon();
  }
  routes_.end_all();
  co_await scope_.close();
  entries_.clear();
}

}  // namespace infiniedge::model
