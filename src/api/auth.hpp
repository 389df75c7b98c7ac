// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"
#include "runtime/entropy.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api {

/// What a caller may do; each role may do what those before it may, Node stands apart.
enum class Role { Node, Viewer, Operator, Admin };

struct Principal {
  std::string name;
  Role role = Role::Viewer;
  bool cookie = false;  ///< A browser: unsafe methods need our own Origin.

  bool at_least(Role wanted) const {
    return role == wanted || (role != Role::Node && role > wanted);
  }
};

/// Knows who is calling: bearer tokens, console sessions, the Unix socket's owner.
///
/// Thread: the door's shard.
/// Owner:  app. Clock and entropy outlive it.
/// Errors: Denied without or with a wrong credential; Exhausted after ten failures a minute from
///         one address.
class Auth {
 public:
  Auth(Clock& clock, runtime::Entropy& entropy) : clock_(clock), entropy_(entropy) {}

  /// Makes a token `ie1_…`; only its SHA-256 is kept.
  std::string create_token(std::string name, Role role);
  /// Registers a token known to both sides (a hub's node token).
  void add_token(std::string name, Role role, std::string_view token);
  /// A console link's one-time secret: 22 characters, ten minutes.
  std::string create_link();
  /// Trades a link's secret for a session: the value of the cookie.
  Result<std::string> open_session(std::string_view link, const std::string& peer);

  Result<Principal> identify(const runtime::http::Request& request, std::uint16_t port);

  static std::string cookie_name(std::uint16_t port);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Known {
    Digest digest{};
    Principal principal;
    Instant until{};  ///< Epoch: for ever.
  };
  struct Failures {
    int count = 0;
    Instant since{};
  };

  static Digest digest_of(std::string_view secret);
  std::string random_text(std::size_t characters);
  std::optional<Principal> find(std::vector<Known>& known, std::string_view secret) const;
  Result<void> admit(const std::string& peer);
  void failed(const std::string& peer);

  Clock& clock_;
  runtime::Entropy& entropy_;
  std::vector<Known> tokens_, links_, sessions_;
  std::map<std::string, Failures> failures_;
};

/// Refuses requests whose Host is not ours (DNS rebinding): loopback names and `hosts`.
bool own_host(const runtime::http::Request& request, const std::vector<std::string>& hosts);
/// A browser's unsafe request must come from our own page.
bool own_origin(const runtime::http::Request& request);

}  // namespace infiniedge::api
