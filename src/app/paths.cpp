// SPDX-License-Identifier: Apache-2.0
#include "app/paths.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace infiniedge::app {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// systemd's variable, else root's place, else the user's.
std::string choose(const char* systemd, const std::string& root, const char* xdg,
                   const std::string& below_home) {
  if (const auto given = environment(systemd); !given.empty()) return given;
  if (geteuid() == 0) return root;
  if (const auto given = environment(xdg); !given.empty()) return given + "/infiniedge";
  return environment("HOME") + below_home;
}

}  // namespace

Paths Paths::defaults() {
  return {.data = choose("STATE_DIRECTORY", "/var/lib/infiniedge", "XDG_DATA_HOME",
                         "/.local/share/infiniedge"),
          .configuration = choose("CONFIGURATION_DIRECTORY", "/etc/infiniedge", "XDG_CONFIG_HOME",
                                  "/.config/infiniedge"),
          .runtime = choose("RUNTIME_DIRECTORY", "/run/infiniedge", "XDG_RUNTIME_DIR",
                            "/.cache/infiniedge")};
}

std::string executable_path() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "infiniedge" : path.string();
}

std::string executable_directory() {
  return std::filesystem::path(executable_path()).parent_path().string();
}

}  // namespace infiniedge::app
