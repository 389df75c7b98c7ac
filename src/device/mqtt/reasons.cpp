// SPDX-License-Identifier: Apache-2.0
#include "device/mqtt/reasons.hpp"

#include <fmt/format.h>
#include <mosquitto.h>

namespace infiniedge::device::mqtt {

Error refused(int code, std::string_view broker) {
  const auto sentence = [&](std::string_view why) {
    return fmt::format("broker {} refuses the connection: {}", broker, why);
  };
  switch (code) {
    case 4:
    case 134:
      return {Code::Denied, sentence("wrong user name or password; see credentials:")};
    case 5:
    case 135:
    case 138:
    case 140:
      return {Code::Denied, sentence("this user is not authorised; see credentials:")};
    case 1:
    case 132:
      return {Code::Invalid, sentence("it does not speak this MQTT version; see options.version")};
    case 2:
    case 133:
      return {Code::Invalid, sentence("it does not accept the client id; see options.client_id")};
    default:
      return {Code::Unavailable, sentence(code < 128 ? mosquitto_connack_string(code)
                                                     : mosquitto_reason_string(code))};
  }
}

bool is_certificate_fault(std::string_view text) {
  for (const std::string_view part :
       {"certificate verify failed", "unknown ca", "bad certificate", "certificate required",
        "certificate expired", "unknown_ca", "host name"}) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace infiniedge::device::mqtt
