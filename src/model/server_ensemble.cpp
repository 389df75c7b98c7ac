// SPDX-License-Identifier: Apache-2.0
// Ensembles: loaded after their models, ready while those are.
#include <fmt/format.h>

#include <set>

#include "model/ensemble.hpp"
#include "model/server.hpp"

namespace infiniedge::model {
namespace {

std::string version_text(const EnsembleStep& step) {
  return step.version < 0 ? std::string{} : std::to_string(step.version);
}

/// Models of an ensemble as the repository has them, each after those that it consists of itself.
class Parts {
 public:
  explicit Parts(const Repository& repository) : repository_(repository) {}

  Result<void> visit(const ModelConfig& config) {
    chain_.push_back(config.name);
    for (const auto& step : config.steps) {
      if (std::find(chain_.begin(), chain_.end(), step.model) != chain_.end()) {
        return Error{
            Code::Invalid,
            fmt::format("{}: a cycle: ensemble '{}' would consist of itself", step.at, step.model)};
      }
      if (!seen_.insert(step.model).second) continue;
      const auto part = repository_.read(step.model);
      // One that is not in the repository may have been loaded from elsewhere.
      if (!part) continue;
      if (part->config.is_ensemble()) INFINIEDGE_TRY(visit(part->config));
      order_.push_back(step.model);
    }
    chain_.pop_back();
    return {};
  }
  std::vector<std::string> take() { return std::move(order_); }

 private:
  const Repository& repository_;
  std::vector<std::string> chain_, order_;
  std::set<std::string> seen_;
};

}  // namespace

/// Loads what an ensemble consists of and is not there yet. Failures show when it is assembled.
Task<Result<void>> Server::load_parts(const ModelDefinition& definition) {
  if (!definition.config.is_ensemble() || !options_.repository) co_return Result<void>{};
  const Repository repository(*options_.repository);
  auto look = [&]() -> Result<std::vector<std::string>> {
    Parts parts(repository);
    INFINIEDGE_TRY(parts.visit(definition.config));
    return parts.take();
  };
  auto names = co_await runtime::run_on(machinery_.workers, look);
  if (!names) {
    co_return Error{names.error().code(), fmt::format("ensemble '{}'", definition.config.name),
                    names.error()};
  }
  for (const auto& name : *names) {
    if (!find(name)) (void)co_await load(name);
  }
  co_return Result<void>{};
}

Result<Built> Server::assemble(const ModelDefinition& definition) const {
  Built out;
  for (const auto& [version, file] : definition.files) {
    auto served = Served::assemble(definition.config, version);
    const auto part =
        [this](const EnsembleStep& step) -> Result<std::shared_ptr<const ModelConfig>> {
      auto found = find(step.model, version_text(step));
      if (!found) return std::move(found).error();
      return (*found)->config_ptr();
    };
    auto checked = served ? check_parts((*served)->config(), *(*served)->graph(), part)
                          : Result<void>{served.error()};
    if (!checked) {
      return Error{checked.error().code(),
                   fmt::format("failed to load '{}' version {}", definition.config.name, version),
                   std::move(checked).error()};
    }
    out.push_back(std::move(*served));
  }
  return out;
}

Result<void> Server::parts_ready(const ModelConfig& config) const {
  for (const auto& step : config.steps) {
    const auto part = find(step.model, version_text(step));
    if (part) continue;
    const auto entry = entries_.find(step.model);
    if (entry != entries_.end() && entry->second.dormant) continue;  // The next request loads it.
    return Error{Code::Unavailable,
                 fmt::format("ensemble '{}' has no available versions: it needs model '{}', which "
                             "is not ready",
                             config.name, step.model)};
  }
  return {};
}

Task<Result<void>> Server::unload_with_parts(std::string name) {
  std::set<std::string> parts;
  for (const auto& served : serving()) {
    if (served->config().name != name) continue;
    for (const auto& step : served->config().steps) parts.insert(step.model);
  }
  if (auto done = co_await unload(name); !done) co_return std::move(done).error();
  for (const auto& served : serving()) {
    for (const auto& step : served->config().steps) parts.erase(step.model);
  }
  for (const auto& part : parts) {
    if (entries_.contains(part)) INFINIEDGE_CO_TRY(co_await unload_with_parts(part));
  }
  co_return Result<void>{};
}

}  // namespace infiniedge::model
