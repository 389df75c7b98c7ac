// SPDX-License-Identifier: Apache-2.0
#include "app/console/assets.hpp"

#include <algorithm>

namespace infiniedge::app {

namespace http = runtime::http;

namespace {

const Asset* find(std::string_view path) {
  const auto assets = console_assets();
  const auto at =
      std::find_if(assets.begin(), assets.end(), [&](const Asset& a) { return a.path == path; });
  return at == assets.end() ? nullptr : &*at;
}

void secure(http::Response& response) {
  response.headers.set("content-security-policy", "default-src 'self'; frame-ancestors 'none'");
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("referrer-policy", "no-referrer");
}

}  // namespace

http::Response console_response(const http::Request& request) {
  http::Response response;
  secure(response);
  const auto path = request.path();
  const bool asset_path = path.starts_with("/assets/");
  const auto* asset = find(path);
  if (asset == nullptr && !asset_path) asset = find("/index.html");
  if (asset == nullptr) {
    response.status = 404;
    response.headers.set("content-type", "text/plain");
    response.body =
        console_assets().empty()
            ? "This binary was built without the console: run scripts/console and build again.\n"
            : "There is no such file.\n";
    return response;
  }
  response.headers.set("content-type", std::string{asset->type});
  response.headers.set("content-encoding", "gzip");
  // Names under /assets carry a hash of their content.
  response.headers.set("cache-control",
                       asset_path ? "public, max-age=31536000, immutable" : "no-cache");
  response.body.assign(reinterpret_cast<const char*>(asset->gzip.data()), asset->gzip.size());
  return response;
}

}  // namespace infiniedge::app
