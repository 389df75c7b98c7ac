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
#include "runtime/http/client.hpp"

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

Setter flag(bool Settings::* member) {
  return [member](Settings& settings, const std::string& value) -> Result<void> {
    if (value != "true" && value != "false") {
      return Error{Code::Invalid, fmt::format("expected true or false, not \"{}\"", value)};
    }
    settings.*member = value == "true";
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

Result<void> set_upstream(Settings& settings, const std::string& value) {
  const auto url = runtime::http::Url::parse(value);
  if (!url) return Error{Code::Invalid, "openai.upstream", url.error()};
  settings.openai.url = value;
  return {};
}

/// The key itself stands in no setting: it would be seen where settings are shown.
Result<void> read_upstream_key(Settings& settings, const std::string& path) {
  std::ifstream file(path);
  if (!std::getline(file, settings.openai.key) || settings.openai.key.empty()) {
    return Error{Code::NotFound,
                 fmt::format("openai.key_file {} cannot be read or is empty", path)};
  }
  return {};
}

Result<void> set_upstream_ca(Settings& settings, const std::string& value) {
  settings.openai.ca = value;
  return {};
}

Result<void> add_alias(Settings& settings, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == value.size()) {
    return Error{Code::Invalid, fmt::format("openai.aliases: \"{}\" is not name=upstream-name; "
                                            "for example small=qwen3-4b",
                                            value)};
  }
  settings.openai.aliases[value.substr(0, equals)] = value.substr(equals + 1);
  return {};
}

Result<void> add_host(Settings& settings, const std::string& value) {
  settings.hosts.push_back(value);
  return {};
}

/// A documented setting and how it is set.
struct Known {
  SettingSpec spec;
  Setter set;
};

const std::vector<Known>& known() {
  static const std::vector<Known> kKnown = {
      {{"name", "host name", "Name of the node, for hubs and people."}, text(&Settings::name)},
      {{"http", "127.0.0.1:8000",
        "Address of all HTTP doors and the console; port 0: any. Not loopback: TLS."},
       text(&Settings::http)},
      {{"grpc", "127.0.0.1:8001 if free",
        "Address of the gRPC door, host:port or unix:/path; off: none. Not loopback: TLS."},
       text(&Settings::grpc)},
      {{"socket", "", "Unix socket for commands; by default node.sock in the runtime directory."},
       text(&Settings::socket)},
      {{"data", "", "Data directory."}, text(&Settings::data)},
      {{"models", "", "Model repository to serve beside the Model resources."},
       text(&Settings::models)},
      {{"plugins", "", "Folder of backends built by others, loaded at start."},
       text(&Settings::plugins)},
      {{"tls.cert", "", "Certificate (PEM) of the HTTP doors; by default an own one."},
       text(&Settings::tls_cert)},
      {{"tls.key", "", "Private key (PEM) of tls.cert."}, text(&Settings::tls_key)},
      {{"tls.client_ca", "", "CA (PEM) whose certificate every client of the doors must show."},
       text(&Settings::tls_client_ca)},
      {{"metrics.http", "",
        "Address that serves /metrics alone, without a credential: 127.0.0.1:8002, say."},
       text(&Settings::metrics_http)},
      {{"inference.name", "infiniedge", "Name of the server in the inference protocol's metadata."},
       text(&Settings::inference_name)},
      {{"inference.shared_memory", "false",
        "Whether inference clients may register shared memory (shm_open) of this machine."},
       flag(&Settings::inference_shared_memory)},
      {{"inference.open", "false",
        "Whether programs of this machine may use /v2 without a credential."},
       flag(&Settings::inference_open)},
      {{"hosts", "", "Host names beside the own ones under which the doors answer; a list."},
       add_host},
      {{"openai.upstream", "",
        "Server that speaks OpenAI's API, for chat: https://llm.plant/v1. None: nothing leaves."},
       set_upstream},
      {{"openai.key_file", "", "File with the bearer token for the upstream."}, read_upstream_key},
      {{"openai.ca", "", "Certificate (PEM) that signed the upstream's; by default the system's."},
       set_upstream_ca},
      {{"openai.aliases", "",
        "Names of models as clients say them: small=qwen3-4b; a list. Given, no other passes."},
       add_alias},
      {{"log.level", "info",
        "error, warning, info, debug or trace; by module too: "
        "info,device.mqtt=debug."},
       text(&Settings::log_level)},
      {{"log.format", "auto", "text, json, or auto: text on a terminal."}, set_log_format},
      {{"store.memtable", "32Mi", "Rows held in memory before they are sealed."},
       bytes(&Settings::store_memtable)},
      {{"store.max_bytes", "half the file system", "Quota of the data directory."},
       bytes(&Settings::store_max_bytes)},
      {{"store.log_bytes", "64Mi", "Unsealed log; beyond it tables are sealed."},
       bytes(&Settings::store_log_bytes)},
      {{"store.seal_age", "1h", "Rows are sealed at this age at the latest."}, set_seal_age}};
  return kKnown;
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
Result<void> read_environment(Settings& settings) {
  for (const auto& [spec, set] : known()) {
    std::string variable = "INFINIEDGE_";
    for (const char c : spec.name)
      variable.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(c)));
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    if (const auto done = set(settings, value); !done)
      return Error{Code::Invalid, fmt::format("environment variable {}", variable), done.error()};
  }
  return {};
}

std::string host_name() {
  char buffer[256] = {};
  return gethostname(buffer, sizeof(buffer) - 1) == 0 ? buffer : "node";
}

}  // namespace

std::vector<SettingSpec> settings_table() {
  std::vector<SettingSpec> out;
  for (const auto& [spec, set] : known()) out.push_back(spec);
  return out;
}

Result<void> Settings::set(const std::string& setting, const std::string& value) {
  std::vector<std::string> names;
  for (const auto& [spec, set] : known()) {
    if (spec.name == setting) return set(*this, value);
    names.emplace_back(spec.name);
  }
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
  INFINIEDGE_TRY(read_environment(out));
  for (const auto& [name, value] : call.settings) INFINIEDGE_TRY(out.set(name, value));
  out.files = call.values("--file");
  out.http = call.value("--http", out.http);
  out.grpc = call.value("--grpc", out.grpc);
  out.data = call.value("--data", out.data);
  out.models = call.value("--models", out.models);
  out.plugins = call.value("--plugins", out.plugins);
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
