// SPDX-License-Identifier: Apache-2.0
#include "api/auth.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace infiniedge::api {
namespace {

constexpr int kMaxFailures = 10;
constexpr Micros kFailureSpan = Seconds{60};
constexpr Micros kLinkLife = Seconds{600};
constexpr Micros kSessionLife = Seconds{12 * 3600};
constexpr std::size_t kMaxPeers = 4096;
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view bearer(const runtime::http::Request& request) {
  const auto value = request.headers.get("authorization");
  constexpr std::string_view kPrefix = "Bearer ";
  return value.starts_with(kPrefix) ? value.substr(kPrefix.size()) : std::string_view{};
}

std::string_view cookie(const runtime::http::Request& request, const std::string& name) {
  auto value = request.headers.get("cookie");
  while (!value.empty()) {
    auto pair = value.substr(0, value.find(';'));
    value.remove_prefix(std::min(value.size(), pair.size() + 1));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

}  // namespace

Auth::Digest Auth::digest_of(std::string_view secret) {
  Digest digest{};
  unsigned int size = 0;
  EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

std::string Auth::random_text(std::size_t characters) {
  std::string out(characters, ' ');
  entropy_.fill(std::as_writable_bytes(std::span(out)));
  for (auto& c : out) c = kAlphabet[static_cast<unsigned char>(c) & 63];
  return out;
}

std::string Auth::create_token(std::string name, Role role) {
  auto token = "ie1_" + random_text(43);
  add_token(std::move(name), role, token);
  return token;
}

void Auth::add_token(std::string name, Role role, std::string_view token) {
  tokens_.push_back(
      {.digest = digest_of(token), .principal = {.name = std::move(name), .role = role}});
}

std::string Auth::create_link() {
  auto secret = random_text(22);
  links_.push_back({.digest = digest_of(secret),
                    .principal = {.name = "console", .role = Role::Admin, .cookie = true},
                    .until = clock_.now() + kLinkLife});
  return secret;
}

Result<std::string> Auth::open_session(std::string_view link, const std::string& peer) {
  INFINIEDGE_TRY(admit(peer));
  auto principal = find(links_, link);
  if (!principal) {
    failed(peer);
    return Error{Code::Denied,
                 "the link was used already or is older than ten minutes; ask the "
                 "node for a new one"};
  }
  const auto used = digest_of(link);
  std::erase_if(links_, [&](const Known& known) { return known.digest == used; });
  auto value = random_text(43);
  sessions_.push_back(
      {.digest = digest_of(value), .principal = *principal, .until = clock_.now() + kSessionLife});
  return value;
}

std::optional<Principal> Auth::find(std::vector<Known>& known, std::string_view secret) const {
  const auto now = clock_.now();
  std::erase_if(known, [&](const Known& k) { return k.until != Instant{} && k.until < now; });
  const auto digest = digest_of(secret);
  std::optional<Principal> out;
  // No early exit: the time taken must not tell which one matched.
  for (const auto& k : known) {
    if (CRYPTO_memcmp(k.digest.data(), digest.data(), digest.size()) == 0) out = k.principal;
  }
  return out;
}

Result<void> Auth::admit(const std::string& peer) {
  const auto found = failures_.find(peer);
  if (found == failures_.end() || found->second.count < kMaxFailures) return {};
  if (clock_.now() - found->second.since > kFailureSpan) {
    failures_.erase(found);
    return {};
  }
  return Error{Code::Exhausted, "ten wrong credentials within a minute; wait a minute"};
}

void Auth::failed(const std::string& peer) {
  if (failures_.size() >= kMaxPeers) failures_.clear();
  auto& entry = failures_[peer];
  if (entry.count == 0 || clock_.now() - entry.since > kFailureSpan) {
    entry = {.count = 0, .since = clock_.now()};
  }
  ++entry.count;
}

Result<Principal> Auth::identify(const runtime::http::Request& request, std::uint16_t port) {
  if (request.unix_peer_trusted) return Principal{.name = "local", .role = Role::Admin};
  INFINIEDGE_TRY(admit(request.peer));
  const auto token = bearer(request);
  const auto session = cookie(request, cookie_name(port));
  if (token.empty() && session.empty()) {
    return Error{Code::Denied, "a credential is missing: send `Authorization: Bearer TOKEN`"};
  }
  auto principal = token.empty() ? find(sessions_, session) : find(tokens_, token);
  if (principal) return std::move(*principal);
  failed(request.peer);
  return Error{Code::Denied, token.empty() ? "the session has ended; open the console's link again"
                                           : "the token is not known here"};
}

// Cookies ignore ports, so two nodes on one host would overwrite each other's.
std::string Auth::cookie_name(std::uint16_t port) { return fmt::format("infiniedge_{}", port); }

bool own_host(const runtime::http::Request& request, const std::vector<std::string>& hosts) {
  if (request.unix_peer_trusted || request.peer.empty()) return true;
  const auto host = without_port(request.headers.get("host"));
  if (host == "127.0.0.1" || host == "localhost" || host == "[::1]") return true;
  return std::find(hosts.begin(), hosts.end(), host) != hosts.end();
}

bool own_origin(const runtime::http::Request& request) {
  const auto origin = request.headers.get("origin");
  if (origin.empty()) return false;
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos &&
         origin.substr(scheme + 3) == request.headers.get("host");
}

}  // namespace infiniedge::api
