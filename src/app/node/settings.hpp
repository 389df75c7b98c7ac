// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/openai/chat.hpp"
#include "app/commands/command.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"
#include "runtime/log.hpp"

namespace infiniedge::app {

enum class RoleOfProcess { Node, Hub };

/// Properties of this process: flag `--a.b` over environment INFINIEDGE_A_B over node.yaml over
/// the default. An unknown name is an error with a suggestion.
struct Settings {
  RoleOfProcess role = RoleOfProcess::Node;
  std::string name;  ///< Host name by default.
  std::string http = "127.0.0.1:8000";
  std::string grpc;    ///< Empty: 127.0.0.1:8001 if that is free; "off": none.
  std::string socket;  ///< Unix socket; empty: none.
  std::string data;
  std::string models;   ///< Model repository; empty: none.
  std::string plugins;  ///< Folder of backends built by others; empty: none.
  std::string ready_file;
  std::string configuration;
  std::string node_token;  ///< Hub: what nodes must show.
  bool tls = false;
  std::string tls_cert, tls_key;
  api::openai::Upstream openai;  ///< Where chat goes.
  std::string tls_client_ca;     ///< If set, clients must show a certificate of this CA.
  std::string metrics_http;      ///< Address of metrics without a credential; empty: none.
  std::string inference_name = "infiniedge";  ///< Of the server, in the protocol's metadata.
  bool inference_shared_memory = false;       ///< Clients may register shared memory.
  bool inference_open = false;                ///< Local programs may use /v2 without a credential.
  std::vector<std::string> hosts;
  std::vector<std::string> files;  ///< -f
  std::string log_level = "info";
  runtime::LogFormat log_format = runtime::LogFormat::Auto;
  std::uint64_t store_memtable = 32U << 20;
  std::uint64_t store_max_bytes = 0;
  std::uint64_t store_log_bytes = 64U << 20;
  Micros store_seal_age{std::chrono::hours{1}};

  static Result<Settings> from(const Call& call, RoleOfProcess role);
  Result<void> set(const std::string& name, const std::string& value);
};

/// A documented setting.
struct SettingSpec {
  std::string_view name, fallback, doc;
};

/// Every setting that there is, in order.
std::vector<SettingSpec> settings_table();

}  // namespace infiniedge::app
