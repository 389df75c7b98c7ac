// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http/client.hpp"
#include "runtime/http/server.hpp"

namespace infiniedge::runtime::http {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// What a server speaks once TLS is up; said in ALPN.
enum class Protocol { Http1, Http2 };

/// TLS 1.2 or newer. Errors: Invalid or NotFound, naming the file.
Result<TlsContext> make_server_tls(const TlsFiles& files, Protocol protocol = Protocol::Http1);
Result<TlsContext> make_client_tls(const ClientOptions& options);

/// 64 lower-case hex digits without colons. Errors: Invalid.
Result<std::string> normalise_fingerprint(std::string_view text);

/// SHA-256 of a certificate, in hex.
std::string fingerprint_of(const X509* certificate);

/// SHA-256 of the certificate that the other side showed, in hex; empty if it showed none.
std::string peer_fingerprint(SSL* ssl);

/// URIs and DNS names of the other side's certificate; empty unless it was verified.
std::vector<std::string> peer_names(SSL* ssl);

}  // namespace infiniedge::runtime::http
