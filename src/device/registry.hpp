// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "device/environment.hpp"
#include "infiniedge/connector.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/spec.hpp"

namespace infiniedge::device {

/// The connectors that this binary has. A connector class C has
///     static constexpr Spec kSpec;
///     static Result<std::unique_ptr<Connector>> make(DeviceSpec, Environment);
/// where make() judges address and options (Invalid) and touches nothing outside.
///
/// Thread: filled at start, then only read; any.
/// Owner:  app.
class Registry {
 public:
  template <class C>
  void add() {
    parts_.push_back({&C::kSpec, &C::make});
  }

  /// Errors: Invalid for a name that no connector has, with a suggestion, and whatever the
  ///         connector finds wrong with the resource.
  Result<std::unique_ptr<Connector>> make(std::string_view connector, DeviceSpec device,
                                          Environment environment) const;
  /// Null if there is none.
  const Spec* find(std::string_view connector) const;
  std::vector<const Spec*> specs() const;

 private:
  using Make = Result<std::unique_ptr<Connector>> (*)(DeviceSpec, Environment);
  struct Part {
    const Spec* spec;
    Make make;
  };
  std::vector<Part> parts_;
};

}  // namespace infiniedge::device
