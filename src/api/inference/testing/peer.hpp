// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

namespace infiniedge::api::inference::testing {

/// Python of one environment of test peers (.deps/NAME), made by scripts/setup --test.
inline std::filesystem::path peer_python(const std::string& environment = "peers") {
  return std::filesystem::path{INFINIEDGE_DEPS_DIR} / environment / "bin/python";
}

/// A script of tests/peers.
inline std::string peer_script(const std::string& name) {
  return std::string{INFINIEDGE_SOURCE_DIR} + "/tests/peers/" + name;
}

/// Output of a command, both streams, and its exit status.
inline std::pair<std::string, int> run_command(const std::string& command) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"cannot start " + command, -1};
  std::array<char, 4096> piece;
  while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe))
    out.append(piece.data(), n);
  return {out, pclose(pipe)};
}

}  // namespace infiniedge::api::inference::testing
