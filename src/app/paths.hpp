// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace infiniedge::app {

/// Where things are by default: systemd's directories, else /var, /etc and /run for root, else
/// the user's XDG directories.
struct Paths {
  std::string data, configuration, runtime;

  std::string socket() const { return runtime + "/node.sock"; }
  static Paths defaults();
};

/// Folder of the running binary.
std::string executable_directory();
/// Path of the running binary itself.
std::string executable_path();

}  // namespace infiniedge::app
