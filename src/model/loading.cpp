// SPDX-License-Identifier: Apache-2.0
#include "model/loading.hpp"

#include <fmt/format.h>

#include <exception>

#include "model/warmup.hpp"

namespace infiniedge::model {
namespace {

/// Every instance, because each has buffers and thread pools of its own to set up.
Result<void> warm_up(Served& served, const std::filesystem::path& folder) {
  auto runs = warmup_runs(served.config(), folder);
  if (!runs) return std::move(runs).error();
  for (std::size_t instance = 0; instance < served.instances(); ++instance) {
    for (const auto& run : *runs) {
      for (std::uint32_t i = 0; i < run.count; ++i) {
        auto outputs = served.rehearse(instance, run.inputs);
        if (outputs) continue;
        return Error{outputs.error().code(), fmt::format("warm-up '{}' failed", run.name),
                     std::move(outputs).error()};
      }
    }
  }
  return {};
}

Result<std::shared_ptr<Served>> build_version(const ModelDefinition& definition,
                                              std::int64_t version,
                                              const std::filesystem::path& file, Backend& backend,
                                              const GoldenReader& golden) {
  try {
    auto served = Served::build(definition.config, version, file, backend);
    if (!served || definition.folder.empty()) return served;
    INFINIEDGE_TRY(warm_up(**served, definition.folder));
    const auto run = [&](const auto& inputs) { return (*served)->rehearse(0, inputs); };
    INFINIEDGE_TRY(check_golden(definition.folder, (*served)->config(), golden, run));
    return served;
  } catch (const std::bad_alloc&) {
    return Error{Code::Exhausted, "there is not enough memory for it"};
  } catch (const std::exception& error) {
    return Error{Code::Internal, fmt::format("the runtime threw: {}", error.what())};
  }
}

}  // namespace

Result<Built> build_versions(const ModelDefinition& definition, Backend& backend,
                             const GoldenReader& golden) {
  Built out;
  for (const auto& [version, file] : definition.files) {
    auto served = build_version(definition, version, file, backend, golden);
    if (!served) {
      return Error{served.error().code(),
                   fmt::format("failed to load '{}' version {}", definition.config.name, version),
                   std::move(served).error()};
    }
    out.push_back(std::move(*served));
  }
  return out;
}

}  // namespace infiniedge::model
