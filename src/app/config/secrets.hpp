// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::app::config {

/// Reads secrets from files: `<dir>/<name>_<key>` or `<dir>/<name>` in systemd's credentials
/// directory, then `<dir>/<name>/<key>` or `<dir>/<name>` below `secrets/` of the configuration.
/// Never from the environment, which children and /proc would show.
///
/// Errors: NotFound, naming the places that were tried; Invalid for a name with a slash.
class Secrets {
 public:
  /// `directories` are searched after $CREDENTIALS_DIRECTORY.
  explicit Secrets(std::vector<std::string> directories);
  Result<std::string> read(const std::string& name, const std::string& key) const;

 private:
  std::vector<std::string> directories_;
};

}  // namespace infiniedge::app::config
