// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "runtime/http/server.hpp"
#include "runtime/http/tls.hpp"

namespace infiniedge::runtime::http {

namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

constexpr long kTenYears = 3650L * 24 * 3600;

/// "DNS:a,IP:127.0.0.1,URI:infiniedge://gateway/…". Errors: Invalid for a name with a comma.
Result<std::string> alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    if (name.empty() || name.find_first_of(",\n\r") != std::string::npos) {
      return Error{Code::Invalid, "a certificate cannot name \"" + name + "\""};
    }
    boost::system::error_code not_address;
    boost::asio::ip::make_address(name, not_address);
    if (!out.empty()) out += ',';
    out += !not_address ? "IP:" : name.find("://") != std::string::npos ? "URI:" : "DNS:";
    out += name;
  }
  if (out.empty()) return Error{Code::Invalid, "a certificate needs at least one name"};
  return out;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& names) {
  // 127 random bits: never negative, never the same twice.
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof(serial)) != 1) return false;
  serial[0] &= 0x7f;
  std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(serial, sizeof(serial), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
  X509_set_version(certificate, X509_VERSION_3);
  // A day back, for clients whose clock is behind.
  X509_gmtime_adj(X509_getm_notBefore(certificate), -24L * 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kTenYears);
  X509_set_pubkey(certificate, key);
  auto* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("InfiniEdge"), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  return add_extension(certificate, NID_subject_alt_name, names) &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

Result<void> write_private(const std::string& path, BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool written = file >= 0 && ::fchmod(file, 0600) == 0;
  for (long done = 0; written && done < size;) {
    const auto n = ::write(file, data + done, static_cast<std::size_t>(size - done));
    written = n > 0;
    done += n;
  }
  written = written && ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (written) return {};
  return Error{Code::Unavailable, "cannot write " + path + ": " + std::strerror(reason)};
}

}  // namespace

Result<std::string> make_self_signed(const std::vector<std::string>& names, const TlsFiles& files) {
  const auto alternative = alternative_names(names);
  if (!alternative) return alternative.error();
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (!key || !certificate || !fill(certificate.get(), key.get(), *alternative)) {
    return Error{Code::Invalid, "OpenSSL cannot make a certificate for " + *alternative};
  }
  const Memory key_pem(BIO_new(BIO_s_mem())), certificate_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(certificate_pem.get(), certificate.get());
  INFINIEDGE_TRY(write_private(files.key, key_pem.get()));
  INFINIEDGE_TRY(write_private(files.cert, certificate_pem.get()));
  return fingerprint_of(certificate.get());
}

}  // namespace infiniedge::runtime::http
