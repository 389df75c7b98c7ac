// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config/schema.hpp"
#include "device/registry.hpp"
#include "model/backends.hpp"

namespace infiniedge::app {

/// The connectors built into this binary; see builtin.cpp.
const device::Registry& connectors();

/// The inference backends built into this binary.
const model::BackendRegistry& backends();

/// The same, for validation.
class BuiltinParts final : public config::Parts {
 public:
  const Spec* connector(std::string_view name) const override {
    return app::connectors().find(name);
  }
  std::vector<std::string> connectors() const override {
    std::vector<std::string> out;
    for (const auto* spec : app::connectors().specs()) out.emplace_back(spec->name);
    return out;
  }
};

}  // namespace infiniedge::app
