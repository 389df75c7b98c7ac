// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace infiniedge::model {

/// Tells whether a version's files have changed: the size of all and the time of the newest.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::filesystem::file_time_type newest = std::filesystem::file_time_type::min();
  bool operator==(const FileStamp&) const = default;
};

/// Of the files beside `file` that belong to it: the same name, whatever is appended, or stem.
/// Weights may lie beside the file that is named. What cannot be read does not count.
FileStamp stamp_of(const std::filesystem::path& file);

}  // namespace infiniedge::model
