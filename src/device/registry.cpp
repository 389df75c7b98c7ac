// SPDX-License-Identifier: Apache-2.0
#include "device/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "base/suggest.hpp"

namespace infiniedge::device {

Result<std::unique_ptr<Connector>> Registry::make(std::string_view connector, DeviceSpec device,
                                                  Environment environment) const {
  std::vector<std::string> names;
  for (const auto& part : parts_) {
    if (part.spec->name == connector) return part.make(std::move(device), environment);
    names.emplace_back(part.spec->name);
  }
  const auto meant = base::suggest(connector, names);
  return Error{Code::Invalid,
               fmt::format("device {}: there is no connector \"{}\"; {}", device.name, connector,
                           meant ? fmt::format("did you mean \"{}\"?", *meant)
                                 : fmt::format("this build has {}", fmt::join(names, ", ")))};
}

const Spec* Registry::find(std::string_view connector) const {
  for (const auto& part : parts_) {
    if (part.spec->name == connector) return part.spec;
  }
  return nullptr;
}

std::vector<const Spec*> Registry::specs() const {
  std::vector<const Spec*> out;
  for (const auto& part : parts_) out.push_back(part.spec);
  return out;
}

}  // namespace infiniedge::device
