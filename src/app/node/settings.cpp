// SPDX-License-Identifier: Apache-2.0
#include "app/node/settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "app/config/scalar.hpp"
#include "app/paths.hpp"
#include "base/suggest.hpp"
#include "base/yaml.hpp"

extern char** environ;

namespace infiniedge::app {
namespace {

using Setter = std::function<Result<void>(Settings&, const std::string&)>;

Setter text(std::string Settings::* member) {
  return [member](Settings& settings, const std::string& value) -> Result<void> {
    settings.*member = value;
    return {};
  };
}

Setter bytes(std::uint64_t Settings::* member) {
  return [member](Settings& settings, const std::string& value) -> Result<void> {
    const auto parsed = config::parse_bytes(value);
    if (!parsed) return parsed.error();
    settings.*member = *parsed;
    return {};
  };
}

Result<void> set_log_format(Settings& settings, const std::string& value) {
  if (value == "auto")
    settings.log_format = runtime::LogFormat::Auto;
  else if (value == "text")
    settings.log_format = runtime::LogFormat::Text;
  else if (value == "json")
    settings.log_format = runtime::LogFormat::Json;
  else
    return Error{Code::Invalid, fmt::format("log.format is auto, text or json, not \"{}\"", value)};
  return {};
}

Result<void> set_seal_age(Settings& settings, const std::string& value) {
  const auto parsed = config::parse_duration(value);
  if (!parsed) return parsed.error();
  settings.store_seal_age = *parsed;
  return {};
}

Result<void> add_host(Settings& settings, const std::string& value) {
  settings.hosts.push_back(value);
  return {};
}

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> kSetters = {
      {"name", text(&Settings::name)},
      {"http", text(&Settings::http)},
      {"socket", text(&Settings::socket)},
      {"data", text(&Settings::data)},
      {"models", text(&Settings::models)},
      {"tls.cert", text(&Settings::tls_cert)},
      {"tls.key", text(&Settings::tls_key)},
      {"hosts", add_host},
      {"log.level", text(&Settings::log_level)},
      {"log.format", set_log_format},
      {"store.memtable", bytes(&Settings::store_memtable)},
      {"store.max_bytes", bytes(&Settings::store_max_bytes)},
      {"store.log_bytes", bytes(&Settings::store_log_bytes)},
      {"store.seal_age", set_seal_age}};
  return kSetters;
}

Result<void> read_yaml(Settings& settings, const base::yaml::Node& node,
                       const std::string& prefix) {
  for (const auto& entry : node.entries) {
    const auto name = prefix + entry.key;
    if (entry.value.kind == base::yaml::Node::Kind::Mapping) {
      INFINIEDGE_TRY(read_yaml(settings, entry.value, name + "."));
    } else if (entry.value.kind == base::yaml::Node::Kind::Sequence) {
      for (const auto& item : entry.value.items) INFINIEDGE_TRY(settings.set(name, item.text));
    } else {
      INFINIEDGE_TRY(settings.set(name, entry.value.text));
    }
  }
  return {};
}

Result<void> read_file(Settings& settings, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  const auto parsed = base::yaml::parse(content, path);
  if (!parsed.diagnostics.empty()) {
    return Error{Code::Invalid, base::format(parsed.diagnostics[0], content)};
  }
  for (const auto& document : parsed.documents) INFINIEDGE_TRY(read_yaml(settings, document, ""));
  return {};
}

/// INFINIEDGE_STORE_MAX_BYTES is store.max_bytes. Other variables of the prefix (tools, tests)
/// are not settings.
void read_environment(Settings& settings) {
  for (const auto& [name, setter] : setters()) {
    std::string variable = "INFINIEDGE_";
    for (const char c : name)
      variable.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(c)));
    if (const char* value = std::getenv(variable.c_str())) (void)setter(settings, value);
  }
}

std::string host_name() {
  char buffer[256] = {};
  return gethostname(buffer, sizeof(buffer) - 1) == 0 ? buffer : "node";
}

}  // namespace

Result<void> Settings::set(const std::string& setting, const std::string& value) {
  const auto found = setters().find(setting);
  if (found != setters().end()) return found->second(*this, value);
  std::vector<std::string> names;
  for (const auto& [known, setter] : setters()) names.push_back(known);
  const auto near = base::suggest(setting, names);
  return Error{Code::Invalid,
               fmt::format("unknown setting \"{}\"{}", setting,
                           near ? fmt::format(": did you mean \"{}\"?", *near) : std::string{})};
}

Result<Settings> Settings::from(const Call& call, RoleOfProcess role) {
  const auto paths = Paths::defaults();
  Settings out;
  out.role = role;
  out.name = host_name();
  out.configuration = paths.configuration;
  out.data = role == RoleOfProcess::Hub ? paths.data + "-hub" : paths.data;
  out.socket = role == RoleOfProcess::Hub ? "" : paths.socket();
  INFINIEDGE_TRY(read_file(out, paths.configuration + "/node.yaml"));
  read_environment(out);
  for (const auto& [name, value] : call.settings) INFINIEDGE_TRY(out.set(name, value));
  out.files = call.values("--file");
  out.http = call.value("--http", out.http);
  out.data = call.value("--data", out.data);
  out.models = call.value("--models", out.models);
  out.ready_file = call.value("--ready-file");
  out.tls = call.has("--tls");
  if (call.has("--verbose")) out.log_level = "debug";
  if (call.has("--quiet")) out.log_level = "warning";
  if (const auto path = call.value("--node-token-file"); !path.empty()) {
    std::ifstream file(path);
    if (!std::getline(file, out.node_token) || out.node_token.empty()) {
      return Error{Code::NotFound, fmt::format("token file {} cannot be read or is empty", path)};
    }
  }
  return out;
}

}  // namespace infiniedge::app
