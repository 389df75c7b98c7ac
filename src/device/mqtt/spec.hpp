// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "device/payload.hpp"

namespace infiniedge::device::mqtt {

inline constexpr std::array<std::string_view, 2> kVersions{"3.1.1", "5"};
inline constexpr std::array<std::string_view, 2> kClientIdAliases{"clientId", "id"};
inline constexpr std::array<std::string_view, 3> kCleanAliases{"clean", "cleanSession",
                                                               "cleanStart"};

inline constexpr std::array<Option, 8> kOptions{{
    {.name = "version",
     .type = OptionType::Enum,
     .doc = "MQTT version.",
     .fallback = "3.1.1",
     .values = kVersions},
    {.name = "qos",
     .type = OptionType::Integer,
     .doc = "Quality of service of subscriptions and writes. At 1 and 2 the broker sends again "
            "what was not acknowledged; a message is acknowledged when it is in the device's "
            "buffer.",
     .fallback = "1",
     .min = 0,
     .max = 2},
    {.name = "client_id",
     .doc = "Client id; not set: infiniedge-DEVICE and a random number.",
     .aliases = kClientIdAliases},
    {.name = "clean_start",
     .type = OptionType::Bool,
     .doc = "Forget what the broker kept. false: the broker holds messages while the node is "
            "away; needs client_id, and with MQTT 5 session_expiry.",
     .fallback = "true",
     .aliases = kCleanAliases},
    {.name = "session_expiry",
     .type = OptionType::Duration,
     .doc = "MQTT 5 with clean_start: false: how long the broker keeps the session.",
     .fallback = "1h"},
    {.name = "keepalive",
     .type = OptionType::Duration,
     .doc = "A silent link is given up after one and a half of this; at least 5s.",
     .fallback = "30s"},
    kTimeOption,
    kTimeOffsetOption,
}};

inline constexpr std::array<Option, 8> kPointOptions{{
    kJsonOption,
    kBinaryOffsetOption,
    kBinaryTypeOption,
    kBinaryOrderOption,
    kTimeOption,
    kTimeOffsetOption,
    {.name = "set",
     .doc = "Topic that a write is published to; not set: the point cannot be "
            "written."},
    {.name = "retain",
     .type = OptionType::Bool,
     .doc = "Ask the broker to keep the last write for later subscribers.",
     .fallback = "false"},
}};

inline constexpr Spec kMqttSpec{
    .name = "mqtt",
    .summary =
        "Values that devices publish through an MQTT broker (3.1.1 or 5). A point's address "
        "is a topic filter; + and # are allowed.",
    .address = "mqtt[s]://HOST[:PORT]",
    .options = kOptions,
    .point_options = kPointOptions};

}  // namespace infiniedge::device::mqtt
