// SPDX-License-Identifier: Apache-2.0
#include "sync/dialer.hpp"

#include <fmt/format.h>

#include "runtime/http/client.hpp"
#include "sync/frame.hpp"

namespace infiniedge::sync {
namespace {

namespace http = runtime::http;

constexpr Seconds kDialTimeout{10};

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

class WebSocketDialer final : public Dialer {
 public:
  WebSocketDialer(boost::asio::any_io_executor executor, http::Url origin, UplinkOptions options)
      : executor_(std::move(executor)), origin_(std::move(origin)), options_(std::move(options)) {}

  Task<Result<std::shared_ptr<Link>>> dial() override {
    // A new client each time: certificate files may have been renewed.
    http::ClientOptions client_options;
    client_options.ca = options_.ca;
    client_options.fingerprint = options_.fingerprint;
    client_options.cert = options_.cert;
    client_options.key = options_.key;
    client_options.tls13_only = true;
    auto client = http::Client::make(executor_, origin_, std::move(client_options));
    if (!client) co_return explain(std::move(client).error());
    http::Headers headers;
    if (!options_.token.empty()) headers.add("Authorization", "Bearer " + options_.token);
    auto link = co_await (*client)->websocket(std::string{kPath}, std::string{kSubprotocol},
                                              std::move(headers), kDialTimeout);
    if (!link) co_return explain(std::move(link).error());
    co_return std::move(*link);
  }

 private:
  Error explain(Error cause) const {
    const Code code = cause.code();
    if (code == Code::Denied) {
      return {code,
              fmt::format("hub at {} refuses this node, or shows another certificate than "
                          "expected; if the hub was replaced on purpose, put what it prints at "
                          "its start into `fingerprint` (or `ca`) and `token` of Uplink {}",
                          options_.address, options_.name),
              std::move(cause)};
    }
    return {code, fmt::format("hub at {} cannot be reached", options_.address), std::move(cause)};
  }

  boost::asio::any_io_executor executor_;
  http::Url origin_;
  UplinkOptions options_;
};

}  // namespace

Result<std::unique_ptr<Dialer>> make_dialer(boost::asio::any_io_executor executor,
                                            UplinkOptions options) {
  auto origin = http::Url::parse(options.address);
  if (!origin) return std::move(origin).error();
  // On this machine nobody else listens; anywhere else rows and token would be readable.
  if (origin->scheme != "https" && !is_loopback(origin->host)) {
    return Error{Code::Invalid,
                 fmt::format("address {} of Uplink {} is not encrypted: use https://",
                             options.address, options.name)};
  }
  return std::make_unique<WebSocketDialer>(std::move(executor), std::move(*origin),
                                           std::move(options));
}

}  // namespace infiniedge::sync
