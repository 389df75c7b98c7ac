// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/io_context.hpp>
#include <cstdint>

#include "api/rpc/session.hpp"

/// Bytes of a client behind a valid preface and settings, to a session whose calls answer nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infiniedge::api::rpc;
  boost::asio::io_context context;
  const Limits limits{.max_message = 4096, .max_header = 1024, .max_streams = 8};
  const infiniedge::runtime::http::Peer peer;
  Session session(context.get_executor(), limits, std::make_shared<Budget>(65536), peer,
                  [](const Head&) { return std::nullopt; });
  constexpr char kHello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
  Output output(false);
  if (session.put({kHello, sizeof kHello}) &&
      session.put({reinterpret_cast<const char*>(data), size})) {
    (void)session.take_ready();
  }
  session.collect(output);
  return 0;
}
