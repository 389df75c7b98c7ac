// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "device/payload.hpp"
#include "infiniedge/spec.hpp"

namespace infiniedge::device::http {

inline constexpr std::array<std::string_view, 2> kMethods{"PUT", "POST"};

inline constexpr std::array<Option, 2> kOptions{{
    kTimeOption,
    kTimeOffsetOption,
}};

inline constexpr std::array<Option, 10> kPointOptions{{
    kJsonOption,
    kBinaryOffsetOption,
    kBinaryTypeOption,
    kBinaryOrderOption,
    kTimeOption,
    kTimeOffsetOption,
    {.name = "set",
     .doc = "Path that a write goes to, as a point's address. Not set: the point's "
            "own address."},
    {.name = "method",
     .type = OptionType::Enum,
     .doc = "Method of a write.",
     .fallback = "PUT",
     .values = kMethods},
    {.name = "body",
     .doc = "Body of a write; {value} stands for the value as JSON.",
     .fallback = "{value}"},
    {.name = "content_type", .doc = "Content-Type of a write.", .fallback = "application/json"},
}};

inline constexpr Spec kHttpSpec{
    .name = "http",
    .summary =
        "Values that a device answers to GET, polled. A point's address is a path: /from "
        "the host's root, relative to the device's address, or . for that address itself. "
        "Credentials with a user name are Basic, a password or token alone is Bearer.",
    .address = "http[s]://HOST[:PORT][/PATH]",
    .options = kOptions,
    .point_options = kPointOptions};

}  // namespace infiniedge::device::http
