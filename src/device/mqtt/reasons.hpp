// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::device::mqtt {

/// Why a broker's CONNACK says no: codes 1 to 5 of MQTT 3.1.1, 128 to 159 of MQTT 5.
/// Denied: login; Invalid: client id or version; Unavailable: the broker's own trouble.
Error refused(int code, std::string_view broker);

/// True if OpenSSL's text means that a certificate, ours or theirs, was not accepted: trying
/// again will not help.
bool is_certificate_fault(std::string_view openssl_text);

}  // namespace infiniedge::device::mqtt
