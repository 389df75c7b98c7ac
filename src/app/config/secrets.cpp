// SPDX-License-Identifier: Apache-2.0
#include "app/config/secrets.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

namespace infiniedge::app::config {
namespace {

std::optional<std::string> read_one(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad() || text.size() > (1U << 20)) return std::nullopt;
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool plain_name(const std::string& name) {
  return name.find('/') == std::string::npos && name.find("..") == std::string::npos;
}

}  // namespace

Secrets::Secrets(std::vector<std::string> directories) : directories_(std::move(directories)) {}

Result<std::string> Secrets::read(const std::string& name, const std::string& key) const {
  if (name.empty() || !plain_name(name) || !plain_name(key)) {
    return Error{Code::Invalid, fmt::format("\"{}\" is not the name of a secret", name)};
  }
  std::vector<std::string> paths;
  if (const char* systemd = std::getenv("CREDENTIALS_DIRECTORY")) {
    if (!key.empty()) paths.push_back(fmt::format("{}/{}_{}", systemd, name, key));
    paths.push_back(fmt::format("{}/{}", systemd, name));
  }
  for (const auto& directory : directories_) {
    if (!key.empty()) paths.push_back(fmt::format("{}/{}/{}", directory, name, key));
    paths.push_back(fmt::format("{}/{}", directory, name));
  }
  for (const auto& path : paths) {
    if (auto text = read_one(path)) return std::move(*text);
  }
  std::string tried;
  for (const auto& path : paths) tried += (tried.empty() ? "" : ", ") + path;
  return Error{Code::NotFound, fmt::format("secret {} is in none of: {}", name, tried)};
}

}  // namespace infiniedge::app::config
