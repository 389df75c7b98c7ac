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

/// The queue policy's time, or the caller's own where that is shorter and permitted. Unlike in
/// Triton it also counts without a default: a caller's deadline is never ignored silently.
std::optional<Micros> allowed_time(const Batching& batching, std::optional<Micros> asked) {
  std::optional<Micros> allowed;
  if (batching.queue.timeout > Micros{0}) allowed = batching.queue.timeout;
  if (asked && batching.queue.allow_timeout_override && (!allowed || *asked < *allowed))
    allowed = asked;
  return allowed;
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
      machinery_{scope_, clock, workers, metrics} {
  if (options_.staging.empty()) {
    options_.staging = std::filesystem::temp_directory_path() / "infiniedge-staging";
  }
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
    const bool excused = !item.second.required || item.second.unloaded || item.second.dormant;
    return excused || std::any_of(versions.begin(), versions.end(),
                                  [](const auto& v) { return v.second.served != nullptr; });
  });
}

Task<Result<InferResponse>> Server::infer(InferRequest request) {
  if (scope_.cancelled()) co_return Error{Code::Unavailable, "the model server is stopping"};
  auto served = co_await obtain(request.model, request.version);
  if (!served) co_return std::move(served).error();
  const auto since = machinery_.clock.now();
  const bool timed = (*served)->measured();
  const auto& config = (*served)->config();
  auto checked = check_request(config, std::move(request.inputs), request.outputs);
  if (!checked) co_return std::move(checked).error();
  const auto allowed = allowed_time(config.batching, request.timeout);
  std::optional<Instant> deadline;
  if (allowed) deadline = machinery_.clock.now() + *allowed;
  const auto wanted = std::move(checked->outputs);
  auto outputs = co_await (*served)->infer(std::move(*checked), deadline);
  note(request.model, **served, outputs ? nullptr : &outputs.error(), since, timed);
  if (!outputs) co_return std::move(outputs).error();
  to_client_shapes(config, *outputs);
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
    if (!entry.replaced) continue;
    for (const auto& served : entry.replaced->old) served->abandon();
  }
  co_await scope_.close();
  entries_.clear();
}

}  // namespace infiniedge::model
