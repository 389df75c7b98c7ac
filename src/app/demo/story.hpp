// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/result.hpp"

namespace infiniedge::app::demo {

/// Files of the appliance story: found beside the source tree or where the package put them.
struct Assets {
  std::string student, teacher, labels, recordings;

  /// Errors: NotFound, naming what is missing and the command that fetches it.
  static Result<Assets> find();
};

struct StoryOptions {
  std::string dir;  ///< Private working directory.
  int plugs = 32;
  int broker_port = 0;
  std::string broker_user, broker_password;
  std::string hub_address, hub_fingerprint, hub_token;
};

/// The node's resources as a person would write them.
std::string site_yaml(const StoryOptions& options, const Assets& assets);

/// Writes what broker, hub and node need into `dir`: configuration, secrets, model repository.
Result<void> write_files(const StoryOptions& options, const Assets& assets);

/// Writes `text` to `path` with mode 0600, making its folder.
Result<void> write_private(const std::string& path, const std::string& text);

}  // namespace infiniedge::app::demo
