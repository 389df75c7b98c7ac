// SPDX-License-Identifier: Apache-2.0
#include "model/backends.hpp"

#include <algorithm>

#include "model/plugin/backend.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {

std::vector<std::unique_ptr<Backend>> BackendRegistry::make(
    const BackendEnvironment& environment) const {
  std::vector<std::unique_ptr<Backend>> out;
  for (const auto& part : parts_) out.push_back(part.make(environment));
  if (environment.plugins.empty()) return out;
  for (auto& plugin : plugin::open_folder(environment.plugins)) {
    const bool taken = std::any_of(out.begin(), out.end(),
                                   [&](const auto& b) { return b->name() == plugin->name(); });
    if (taken) {
      runtime::log(runtime::Level::Warning, "model", "plugin not used",
                   {{"backend", std::string{plugin->name()}},
                    {"reason", "there is a backend of this name already"}});
      continue;
    }
    out.push_back(std::move(plugin));
  }
  return out;
}

std::vector<const Spec*> BackendRegistry::specs() const {
  std::vector<const Spec*> out;
  for (const auto& part : parts_) out.push_back(part.spec);
  return out;
}

}  // namespace infiniedge::model
