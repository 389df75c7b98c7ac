// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace infiniedge::runtime::http {

/// "mosquitto (pid 812)" for the process that listens on a TCP port of this machine, as far as
/// /proc shows it to this user; else empty. Reads /proc: for error messages only.
std::string port_holder(std::uint16_t port);

}  // namespace infiniedge::runtime::http
