// SPDX-License-Identifier: Apache-2.0
// Every part of this binary, one row each; the only place for a feature switch.
#include "app/parts.hpp"
#include "device/http/connector.hpp"
#include "device/modbus/connector.hpp"
#include "device/mqtt/connector.hpp"
#include "device/replay/connector.hpp"
#include "model/native/backend.hpp"
#include "model/onnx/backend.hpp"
#include "model/openvino/backend.hpp"

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

const model::BackendRegistry& backends() {
  static const model::BackendRegistry kRegistry = [] {
    model::BackendRegistry registry;
    registry.add<model::native::Backend>();
#if INFINIEDGE_WITH_ONNXRUNTIME
    registry.add<model::onnx::Backend>();
#endif
#if INFINIEDGE_WITH_OPENVINO
    registry.add<model::openvino::Backend>();
#endif
    return registry;
  }();
  return kRegistry;
}

}  // namespace infiniedge::app
