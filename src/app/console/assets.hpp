// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/http/http.hpp"

namespace infiniedge::app {

/// A file of the web console, gzip-compressed, built into the binary.
struct Asset {
  std::string_view path;  ///< "/assets/index-1a2b.js"
  std::string_view type;  ///< Content-Type.
  std::span<const unsigned char> gzip;
};

/// Generated at build time from console/dist; empty when the console was not built.
std::span<const Asset> console_assets();

/// The asset for a request, or the page itself for every other path.
runtime::http::Response console_response(const runtime::http::Request& request);

}  // namespace infiniedge::app
