// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/resource.hpp"
#include "app/config/secrets.hpp"
#include "infiniedge/connector.hpp"

namespace infiniedge::app::config {

/// What both row sources, Device and Stream, say about their rows.
struct RowPolicy {
  std::string lane = "normal";
  std::string label_class = "restricted";
  Micros lateness{Seconds{5}};
  Micros keep{0};
  std::vector<std::string> uplinks;  ///< `send:` of the route.
};

struct DeviceResource {
  std::string connector;
  DeviceSpec spec;
  RowPolicy rows;
  bool paused = false;
};

struct Act {
  struct Alarm {
    std::string severity, text;
  };
  struct Write {
    std::string device, point, value;
  };
  std::string when;
  Micros hold{0}, cooldown{0};
  std::optional<Alarm> alarm;
  std::optional<Write> write;
  base::yaml::Mark mark;       ///< Of the act.
  base::yaml::Mark when_mark;  ///< Of the condition's text.
};

struct StreamResource {
  std::string name, sql, on_error;
  base::yaml::Node sql_node;  ///< To map positions inside the text into the file.
  RowPolicy rows;
  std::vector<Act> acts;
  bool paused = false;
};

struct Cascade {
  std::string teacher;
  double threshold = 0.8;
  Micros timeout{Millis{800}};
  double share = 0.05, burst = 50;
  bool abstain_offline = false;
};

struct ModelResource {
  std::string name, path, sha256, task, require;
  std::vector<std::string> classes;
  std::map<std::string, std::string> serve;
  std::optional<Cascade> cascade;
  bool paused = false;
};

struct UplinkResource {
  std::string name, to, address, token, ca, cert, key, fingerprint, order;
  bool paused = false;
};

/// Everything that a set of resource files describes, ready to run.
struct Site {
  std::vector<DeviceResource> devices;
  std::vector<ModelResource> models;
  std::vector<StreamResource> streams;
  std::vector<UplinkResource> uplinks;
};

/// SQL spelling of a resource's name: `pump-7` is `pump_7`.
std::string sql_name(std::string_view name);

/// Turns resources that passed check_schema into values. What only shows here (a secret that is
/// missing, a resolution that is no step, a route that sends nowhere) is a diagnostic.
/// `base_dir`: relative `file:` sources and replay paths start there.
Site to_site(const std::vector<Resource>& resources, const Parts& parts, const Secrets& secrets,
             base::Diagnostics& out);

}  // namespace infiniedge::app::config
