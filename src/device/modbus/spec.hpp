// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "infiniedge/spec.hpp"

namespace infiniedge::device::modbus {

inline constexpr std::array<std::string_view, 4> kOrderNames{"ABCD", "CDAB", "BADC", "DCBA"};
inline constexpr std::array<std::string_view, 4> kUnitAliases{"unitId", "unit_id", "slave",
                                                              "slaveId"};
inline constexpr std::array<std::string_view, 2> kOrderAliases{"wordOrder", "byteOrder"};

inline constexpr std::array<Option, 4> kOptions{{
    {.name = "unit",
     .type = OptionType::Integer,
     .doc = "Unit id: the device behind a gateway.",
     .fallback = "1",
     .min = 0,
     .max = 255,
     .aliases = kUnitAliases},
    {.name = "order",
     .type = OptionType::Enum,
     .doc = "How values of several registers lie: ABCD big-endian, CDAB words swapped, BADC bytes "
            "swapped, DCBA both.",
     .fallback = "ABCD",
     .values = kOrderNames,
     .aliases = kOrderAliases},
    {.name = "retries",
     .type = OptionType::Integer,
     .doc = "How often a request without an answer within the device's timeout, or answered 05 or "
            "06 (busy), is sent again.",
     .fallback = "1",
     .min = 0,
     .max = 10},
    {.name = "max_gap",
     .type = OptionType::Integer,
     .doc = "Unneeded addresses that a request may read along to serve two points at once.",
     .fallback = "4",
     .min = 0,
     .max = 125},
}};

inline constexpr std::array<Option, 2> kPointOptions{{
    {.name = "order",
     .type = OptionType::Enum,
     .doc = "As the device's option, for this point. Not set: the device's.",
     .values = kOrderNames,
     .aliases = kOrderAliases},
    {.name = "length",
     .type = OptionType::Integer,
     .doc = "Bytes of a string or bytes point, two a register.",
     .fallback = "16",
     .min = 1,
     .max = 246},
}};

inline constexpr Spec kModbusSpec{
    .name = "modbus",
    .summary =
        "Coils and registers over Modbus TCP. A point's address is five or six digits in "
        "quotes (\"40001\"), or co:, di:, ir: or hr: and a number from 0; .n is a bit.",
    .address = "tcp://HOST[:PORT]",
    .options = kOptions,
    .point_options = kPointOptions};

}  // namespace infiniedge::device::modbus
