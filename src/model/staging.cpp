// SPDX-License-Identifier: Apache-2.0
#include "model/staging.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 1000, kMaxDepth = 8, kMaxName = 255;
constexpr std::string_view kNameChars =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

bool is_component(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find_first_not_of(kNameChars) == std::string_view::npos;
}

Result<void> check(const std::map<std::string, std::string>& files) {
  std::size_t bytes = 0;
  for (const auto& [path, content] : files) {
    if (!is_staged_path(path)) {
      return Error{Code::Invalid,
                   fmt::format("file:{} is no path in a model's folder; write file:1/model.onnx",
                               path.substr(0, kMaxName))};
    }
    bytes += content.size();
  }
  if (files.size() <= kMaxFiles && bytes <= StagedFiles::kMaxBytes) return {};
  return Error{Code::Invalid,
               fmt::format("{} files of {} bytes are more than the {} files and {} bytes that a "
                           "load may bring; put the model into the repository",
                           files.size(), bytes, kMaxFiles, StagedFiles::kMaxBytes)};
}

Result<void> write_file(const fs::path& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (file) return {};
  return Error{Code::Exhausted,
               fmt::format("{} cannot be written; is the disk full?", path.string())};
}

}  // namespace

bool is_staged_path(std::string_view path) {
  for (std::size_t depth = 1; depth <= kMaxDepth; ++depth) {
    const auto slash = path.find('/');
    if (!is_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

Result<std::shared_ptr<const StagedFiles>> StagedFiles::write(
    const fs::path& root, const std::map<std::string, std::string>& files) {
  INFINIEDGE_TRY(check(files));
  std::error_code error;
  fs::create_directories(root, error);
  auto pattern = (root / "load-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return Error{Code::Exhausted, fmt::format("no folder can be made in {}", root.string())};
  }
  std::shared_ptr<const StagedFiles> out(new StagedFiles(pattern));
  for (const auto& [path, content] : files) {
    INFINIEDGE_TRY(write_file(out->folder() / path, content));
  }
  return out;
}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace infiniedge::model
