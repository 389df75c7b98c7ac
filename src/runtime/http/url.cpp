// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "runtime/http/client.hpp"

namespace infiniedge::runtime::http {

namespace {

Error bad(std::string_view text, std::string_view why) {
  return {Code::Invalid, "address \"" + std::string(text) + "\": " + std::string(why)};
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

/// A host or target goes into a header: nothing that could end the line may pass.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_host(std::string_view text) {
  return !text.empty() && text.find_first_of("@[]\\<>\"") == std::string_view::npos;
}

/// "host", "host:port", "[v6]" or "[v6]:port".
Result<void> split_authority(std::string_view text, std::string_view authority, Url& url) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad(text, "\"[\" is never closed");
    url.host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) rest = authority.substr(colon);
  }
  if (authority.find('@') != std::string_view::npos) {
    return bad(text, "a user name or password does not belong here");
  }
  if (!is_host(url.host)) return bad(text, "the host is missing or malformed");
  if (rest.empty()) return {};
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) {
    return bad(text, "the port must be a number from 1 to 65535");
  }
  url.port = rest.substr(1);
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (!is_printable(text)) return bad("…", "it contains blanks or control characters");
  Url url;
  if (text.starts_with("unix:")) {
    url.scheme = "unix";
    url.host = text.substr(5);
    url.target = "/";
    if (!url.host.starts_with('/')) return bad(text, "unix: takes an absolute path");
    if (url.host.size() > 107) return bad(text, "a socket's path has at most 107 bytes");
    return url;
  }
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) {
    return bad(text, "it must start with http://, https:// or unix:/");
  }
  url.scheme = text.substr(0, mark);
  if (url.scheme == "ws") url.scheme = "http";
  if (url.scheme == "wss") url.scheme = "https";
  if (url.scheme != "http" && url.scheme != "https") {
    return bad(text, "the scheme must be http, https, ws or wss");
  }
  const auto rest = text.substr(mark + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  INFINIEDGE_TRY(split_authority(text, rest.substr(0, end), url));
  if (url.port.empty()) url.port = url.scheme == "https" ? "443" : "80";
  url.target =
      rest.substr(end, rest.find('#') == std::string_view::npos ? rest.npos : rest.find('#') - end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace infiniedge::runtime::http
