// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::device {

/// scheme://host[:port], as device addresses are written; IPv6 in brackets.
struct Endpoint {
  std::string scheme, host;
  std::uint16_t port = 0;

  /// Port 0 if none is written. Errors: Invalid, saying what is wrong with the address.
  static Result<Endpoint> parse(std::string_view address);
  /// "broker.plant:1883"; for messages.
  std::string text() const;
};

}  // namespace infiniedge::device
