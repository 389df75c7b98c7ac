// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "device/replay/reader.hpp"

namespace infiniedge::device::replay {
namespace {

struct Format {
  std::string_view name;
  std::vector<std::string_view> endings;
  MadeReader (*read)(Input, std::string, const ReadOptions&);
};

const std::vector<Format>& formats() {
  static const std::vector<Format> all{{"csv", {".csv"}, &read_csv},
                                       {"matrix", {".dat", ".txt", ".asc"}, &read_matrix},
                                       {"ts", {".ts"}, &read_ts},
                                       {"wav", {".wav", ".wave"}, &read_wav}};
  return all;
}

const Format* find(std::string_view name, const std::string& ending) {
  for (const auto& format : formats()) {
    if (format.name == name) return &format;
    if (name != "auto") continue;
    for (const auto known : format.endings) {
      if (known == ending) return &format;
    }
  }
  return nullptr;
}

}  // namespace

MadeReader open_reader(const std::string& file, std::string format, const ReadOptions& options) {
  auto ending = std::filesystem::path(file).extension().string();
  for (auto& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* found = find(format, ending);
  if (found == nullptr) {
    return Error{Code::Invalid,
                 fmt::format("{}: the format does not follow from the ending \"{}\": set option "
                             "format to csv, matrix, ts or wav",
                             file, ending)};
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return Error{Code::Invalid, fmt::format("{} is a folder, not a recording", file)};
  }
  errno = 0;
  auto input = std::make_unique<std::ifstream>(file, std::ios::binary);
  if (!*input) {
    const int why = errno;
    return Error{why == EACCES ? Code::Denied : Code::NotFound,
                 fmt::format("cannot open the recording {}: {}", file, std::strerror(why))};
  }
  return found->read(std::move(input), file, options);
}

}  // namespace infiniedge::device::replay
