// SPDX-License-Identifier: Apache-2.0
#include "device/endpoint.hpp"

#include <fmt/format.h>

#include <charconv>

namespace infiniedge::device {

Result<Endpoint> Endpoint::parse(std::string_view address) {
  const auto wrong = [&](std::string_view why) {
    return Error{Code::Invalid, fmt::format("address \"{}\" {}", address, why)};
  };
  const auto colon = address.find("://");
  if (colon == std::string_view::npos || colon == 0) {
    return wrong("has no scheme: write it as scheme://host:port");
  }
  Endpoint out;
  out.scheme = address.substr(0, colon);
  auto rest = address.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) {
    return Error{Code::Invalid,
                 "an address must not hold credentials: put them under credentials:"};
  }
  if (rest.find_first_of("/?# ") != std::string_view::npos) {
    return wrong("has something after the port: only scheme://host:port is allowed");
  }
  std::string_view port;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return wrong("has no \"]\" after the IPv6 address");
    out.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest[0] != ':') return wrong("has text after \"]\"");
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const auto at = rest.find(':');
    out.host = rest.substr(0, at);
    if (at != std::string_view::npos) port = rest.substr(at + 1);
  }
  if (out.host.empty()) return wrong("has no host");
  if (port.empty()) return out;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size() || out.port == 0) {
    return wrong("has a bad port: it must be 1 to 65535");
  }
  return out;
}

std::string Endpoint::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace infiniedge::device
