// SPDX-License-Identifier: Apache-2.0
#include "api/inference/target.hpp"

#include <array>

#include "runtime/http/http.hpp"

namespace infiniedge::api::inference {
namespace {

using Kind = Target::Kind;
constexpr std::size_t kMaxParts = 8;

/// Segments of the path, undecoded: a name may hold an encoded slash.
struct Parts {
  std::array<std::string_view, kMaxParts> at;
  std::size_t size = 0;
  bool overflow = false;

  bool is(std::size_t i, std::string_view word) const { return i < size && at[i] == word; }
  std::string name(std::size_t i) const { return runtime::http::percent_decode(at[i]); }
};

Parts split(std::string_view path) {
  Parts out;
  while (!path.empty()) {
    path.remove_prefix(1);  // The slash.
    const auto end = path.find('/');
    const auto word = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    if (word.empty() && path.empty()) break;  // Trailing slash.
    if (out.size == kMaxParts) {
      out.overflow = true;
      return out;
    }
    out.at[out.size++] = word;
  }
  return out;
}

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Target parse_model(const Parts& parts) {
  if (parts.size == 3 && parts.is(2, "stats")) return {.kind = Kind::Statistics};
  Target out{.model = parts.name(2)};
  std::size_t next = 3;
  if (parts.is(3, "versions") && parts.size > 4) {
    out.version = parts.name(4);
    if (!digits(out.version)) return {};
    next = 5;
  }
  if (parts.size == next) {
    out.kind = parts.is(3, "versions") && next == 3 ? Kind::Unknown : Kind::Model;
    return out;
  }
  if (next == 3 && parts.size == 5 && parts.is(3, "trace") && parts.is(4, "setting")) {
    out.kind = Kind::Trace;
    return out;
  }
  if (parts.size != next + 1) return {};
  constexpr std::pair<std::string_view, Kind> kActions[] = {
      {"infer", Kind::Infer},       {"ready", Kind::ModelReady},
      {"config", Kind::Config},     {"stats", Kind::Statistics},
      {"generate", Kind::Generate}, {"generate_stream", Kind::GenerateStream}};
  for (const auto& [word, kind] : kActions) {
    if (parts.is(next, word)) out.kind = kind;
  }
  return out;
}

Target parse_repository(const Parts& parts) {
  if (parts.size == 3 && parts.is(2, "index")) return {.kind = Kind::Index};
  if (parts.size == 5 && parts.is(2, "models")) {
    if (parts.is(4, "load")) return {.kind = Kind::Load, .model = parts.name(3)};
    if (parts.is(4, "unload")) return {.kind = Kind::Unload, .model = parts.name(3)};
    return {};
  }
  return {.kind = parts.size > 3 ? Kind::OtherRepository : Kind::Unknown};
}

/// /v2/{system,cuda}sharedmemory[/region/{r}]/{status,register,unregister}
Target parse_shared_memory(const Parts& parts) {
  const bool region = parts.size == 5 && parts.is(2, "region");
  if (parts.size != 3 && !region) return {};
  Target out{.kind = parts.is(1, "cudasharedmemory") ? Kind::CudaSharedMemory : Kind::SharedMemory,
             .region = region ? parts.name(3) : std::string{},
             .action = std::string{parts.at[parts.size - 1]}};
  const bool known =
      out.action == "status" || out.action == "unregister" || (out.action == "register" && region);
  return known ? out : Target{};
}

}  // namespace

std::string_view Target::methods() const {
  switch (kind) {
    case Kind::Logging:
    case Kind::Trace:
      return "GET, POST";
    case Kind::Infer:
    case Kind::Generate:
    case Kind::GenerateStream:
    case Kind::Index:
    case Kind::Load:
    case Kind::Unload:
    case Kind::OtherRepository:
      return "POST";
    case Kind::SharedMemory:
    case Kind::CudaSharedMemory:
      return action == "status" ? "GET" : "POST";
    default:
      return "GET";
  }
}

bool Target::takes(std::string_view method) const {
  return method == methods() || (methods().size() > 4 && (method == "GET" || method == "POST"));
}

bool Target::steers(std::string_view method) const {
  if (method != "POST") return false;
  return kind != Kind::Infer && kind != Kind::Generate && kind != Kind::GenerateStream &&
         kind != Kind::Index;
}

Target parse_target(std::string_view path) {
  if (!path.starts_with("/v2")) return {};
  const auto parts = split(path);
  if (parts.overflow || !parts.is(0, "v2")) return {};
  if (parts.size == 1) return {.kind = Kind::Server};
  if (parts.size == 3 && parts.is(1, "health")) {
    if (parts.is(2, "live")) return {.kind = Kind::Live};
    if (parts.is(2, "ready")) return {.kind = Kind::Ready};
    return {};
  }
  if (parts.size >= 3 && parts.is(1, "models")) return parse_model(parts);
  if (parts.size >= 3 && parts.is(1, "repository")) return parse_repository(parts);
  if (parts.size == 2 && parts.is(1, "logging")) return {.kind = Kind::Logging};
  if (parts.size == 3 && parts.is(1, "trace") && parts.is(2, "setting")) {
    return {.kind = Kind::Trace};
  }
  if (parts.is(1, "systemsharedmemory") || parts.is(1, "cudasharedmemory")) {
    return parse_shared_memory(parts);
  }
  return {};
}

}  // namespace infiniedge::api::inference
