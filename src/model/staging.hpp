// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::model {

/// What a client gives with a load instead of what stands in the repository.
struct LoadOverride {
  std::optional<std::string> config{};         ///< ModelConfig as JSON, in place of both files.
  std::map<std::string, std::string> files{};  ///< Content by path in the model's folder.
  bool empty() const { return !config && files.empty(); }
};

/// Files of a client in a folder of their own, outside the repository; gone with the last owner.
///
/// Thread: a worker; a value otherwise.
/// Errors: Invalid for a path that could leave the folder, or more bytes than allowed.
class StagedFiles {
 public:
  static constexpr std::size_t kMaxBytes = 256U << 20;

  /// `root` is made if it is not there; readable by this user only.
  static Result<std::shared_ptr<const StagedFiles>> write(
      const std::filesystem::path& root, const std::map<std::string, std::string>& files);
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit StagedFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

/// True for `1/model.onnx`: relative, at most 8 components of [A-Za-z0-9._-]{1,255}, none of them
/// `.` or `..`.
bool is_staged_path(std::string_view path);

}  // namespace infiniedge::model
