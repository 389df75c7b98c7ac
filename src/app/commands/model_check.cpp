// SPDX-License-Identifier: Apache-2.0
// `infiniedge model check`: a model is loaded in this process, which may die of it.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "api/inference/golden_reader.hpp"
#include "app/commands/command.hpp"
#include "app/exit_code.hpp"
#include "app/parts.hpp"
#include "model/loading.hpp"

namespace infiniedge::app {
namespace {

namespace fs = std::filesystem;

/// Nobody misses this process: no core dump, first to go when memory is short, and never left over.
void be_expendable() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::ofstream("/proc/self/oom_score_adj") << 1000;
}

Result<model::ModelDefinition> definition_in(const Call& call) {
  const fs::path path = call.arguments[1];
  const auto name = call.value("--name", path.filename().string());
  std::optional<std::string> config;
  if (const auto source = call.value("--config"); source == "-") {
    config.emplace(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  } else if (!source.empty()) {
    std::ifstream file(source);
    if (!file) return Error{Code::NotFound, source + " cannot be read"};
    config.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (fs::is_directory(path)) return model::read_model(path, name, config);
  return model::define_file(name, path, {});
}

Result<void> load_here(const Call& call) {
  const auto definition = definition_in(call);
  if (!definition) return definition.error();
  if (definition->config.is_ensemble()) return {};  // It has no file.
  const auto runtimes = backends().make({.plugins = call.value("--plugins")});
  const auto& name = definition->config.backend;
  const auto found = std::find_if(runtimes.begin(), runtimes.end(),
                                  [&](const auto& backend) { return backend->name() == name; });
  if (found == runtimes.end()) {
    return Error{Code::Unsupported,
                 "no backend '" + name + "' here; name the folder of its plugin with --plugins"};
  }
  const auto built = model::build_versions(*definition, **found, api::inference::read_golden);
  if (built) return {};
  return built.error();
}

}  // namespace

int check_model(const Call& call) {
  be_expendable();
  const auto loaded = load_here(call);
  if (loaded) return 0;
  return fail_with(loaded.error());
}

}  // namespace infiniedge::app
