// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.hpp"
#include "runtime/http/client.hpp"

using namespace infiniedge::runtime::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  INFINIEDGE_CHECK(percent_decode(text).size() <= size);
  Request request;
  request.target = text;
  INFINIEDGE_CHECK(request.path().size() + request.query().size() <= size);
  (void)request.parameter("x");
  if (const auto url = Url::parse(text)) {
    INFINIEDGE_CHECK(!url->host.empty() && url->target.starts_with('/'));
    INFINIEDGE_CHECK(url->target.find_first_of("\r\n ") == std::string::npos);
  }
  return 0;
}
