// SPDX-License-Identifier: Apache-2.0
// Every part of this binary, one row each; the only place for a feature switch.
#include "app/parts.hpp"
#include "device/http/connector.hpp"
#include "device/modbus/connector.hpp"
#include "device/mqtt/connector.hpp"
#include "device/replay/connector.hpp"

namespace infiniedge::app {

const device::Registry& connectors() {
  static const device::Registry kRegistry = [] {
    device::Registry registry;
    registry.add<device::http::Connector>();
    registry.add<device::modbus::Connector>();
    registry.add<device::mqtt::Connector>();
    registry.add<device::replay::Connector>();
    return registry;
  }();
  return kRegistry;
}

}  // namespace infiniedge::app
