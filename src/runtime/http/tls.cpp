// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/tls.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t n) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

Error bad_file(const std::string& path, std::string_view what, boost::system::error_code code) {
  if (::access(path.c_str(), R_OK) != 0) {
    return {Code::NotFound, std::string(what) + " " + path + " cannot be read"};
  }
  return {Code::Invalid, std::string(what) + " " + path + " is not usable: " + code.message()};
}

Result<TlsContext> make_context(asio::ssl::context::method method, bool tls13_only) {
  auto context = std::make_shared<asio::ssl::context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(),
                                tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections would otherwise keep two 16 KiB buffers each.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Result<void> use_identity(asio::ssl::context& context, const std::string& cert,
                          const std::string& key) {
  boost::system::error_code failed;
  context.use_certificate_chain_file(cert, failed);
  if (failed) return bad_file(cert, "certificate", failed);
  context.use_private_key_file(key, asio::ssl::context::pem, failed);
  if (failed) return bad_file(key, "private key", failed);
  return {};
}

// As ALPN has it: a length, then the name. Static: what is chosen points into it.
constexpr char kHttp1[] = "\x08http/1.1", kHttp2[] = "\x02h2";

/// The only protocol spoken here (`ours`); a client that offers others gets no surprise.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void* ours) {
  auto* chosen = const_cast<unsigned char**>(out);
  const auto* name = static_cast<const unsigned char*>(ours);
  const auto picked = SSL_select_next_proto(chosen, out_size, name, name[0] + 1U, in, in_size);
  return picked == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<TlsContext> make_server_tls(const TlsFiles& files, Protocol protocol) {
  auto context = make_context(asio::ssl::context::tls_server, files.tls13_only);
  if (!context) return context;
  INFINIEDGE_TRY(use_identity(**context, files.cert, files.key));
  SSL_CTX_set_alpn_select_cb((*context)->native_handle(), choose_alpn,
                             const_cast<char*>(protocol == Protocol::Http2 ? kHttp2 : kHttp1));
  if (files.client_ca.empty()) return context;

  boost::system::error_code failed;
  (*context)->load_verify_file(files.client_ca, failed);
  if (failed) return bad_file(files.client_ca, "client CA", failed);
  const auto must =
      files.client_optional ? asio::ssl::verify_none : asio::ssl::verify_fail_if_no_peer_cert;
  (*context)->set_verify_mode(asio::ssl::verify_peer | must);
  // Sessions resumed across a changed client CA would skip the new check.
  SSL_CTX_set_session_id_context((*context)->native_handle(),
                                 reinterpret_cast<const unsigned char*>("infiniedge"), 10);
  return context;
}

Result<TlsContext> make_client_tls(const ClientOptions& options) {
  auto context = make_context(asio::ssl::context::tls_client, options.tls13_only);
  if (!context) return context;
  boost::system::error_code failed;
  if (!options.cert.empty()) INFINIEDGE_TRY(use_identity(**context, options.cert, options.key));
  if (!options.fingerprint.empty()) {
    // The pin replaces the chain; the connection compares it before it sends anything.
    (*context)->set_verify_mode(asio::ssl::verify_none);
    return context;
  }
  (*context)->set_verify_mode(asio::ssl::verify_peer);
  if (options.ca.empty()) {
    (*context)->set_default_verify_paths(failed);
  } else {
    (*context)->load_verify_file(options.ca, failed);
    if (failed) return bad_file(options.ca, "CA file", failed);
  }
  return context;
}

Result<std::string> normalise_fingerprint(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':') continue;
    const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if ((low < '0' || low > '9') && (low < 'a' || low > 'f')) out.clear();
    out += low;
  }
  if (out.size() == 64) return out;
  return Error{Code::Invalid,
               "a fingerprint is a SHA-256: 64 hex digits, colons allowed; see "
               "openssl x509 -noout -fingerprint -sha256"};
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return to_hex(digest.data(), size);
}

std::string peer_fingerprint(SSL* ssl) {
  const auto* certificate = ssl != nullptr ? SSL_get0_peer_certificate(ssl) : nullptr;
  return certificate != nullptr ? fingerprint_of(certificate) : std::string{};
}

std::vector<std::string> peer_names(SSL* ssl) {
  std::vector<std::string> out;
  const auto* certificate = ssl != nullptr ? SSL_get0_peer_certificate(ssl) : nullptr;
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI && name->type != GEN_DNS) continue;
    const auto* text = name->d.uniformResourceIdentifier;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  return out;
}

}  // namespace infiniedge::runtime::http
