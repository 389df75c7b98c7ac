// SPDX-License-Identifier: Apache-2.0
#include "model/repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "model/config_pbtxt.hpp"
#include "model/model_yaml.hpp"
#include "model/runtimes.hpp"

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxConfig = 4U << 20;

/// Nothing if there is no such file. Errors: Invalid for one that is there and cannot be read.
Result<std::optional<std::string>> read_text(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::optional<std::string>{};
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::file_size(path, error) > kMaxConfig || error) {
    return Error{Code::Invalid, fmt::format("{} cannot be read, or is larger than {} MiB",
                                            path.string(), kMaxConfig >> 20)};
  }
  return std::optional{std::string{std::istreambuf_iterator<char>(file), {}}};
}

/// A version directory: decimal without leading zeros, at least 1.
std::optional<std::int64_t> version_of(const std::string& name) {
  std::int64_t version = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc{} || stop != name.data() + name.size()) return std::nullopt;
  if (version < 1 || name.front() == '0' || name.front() == '+') return std::nullopt;
  return version;
}

std::vector<std::int64_t> chosen(const VersionPolicy& policy, std::vector<std::int64_t> present) {
  std::sort(present.begin(), present.end(), std::greater<>{});
  if (policy.kind == VersionPolicy::Kind::Latest && present.size() > policy.latest) {
    present.resize(policy.latest);
  }
  if (policy.kind == VersionPolicy::Kind::Specific) {
    std::erase_if(present, [&](auto version) {
      return std::find(policy.specific.begin(), policy.specific.end(), version) ==
             policy.specific.end();
    });
  }
  return present;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from < text.size()) {
    auto end = text.find('\n', from);
    if (end == std::string::npos) end = text.size();
    auto line = text.substr(from, end - from);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    from = end + 1;
  }
  return lines;
}

Result<void> read_labels(const fs::path& folder, IoConfig& output) {
  const fs::path relative{output.label_filename};
  if (relative.is_absolute() || output.label_filename.find("..") != std::string::npos) {
    return Error{Code::Invalid, fmt::format("label file '{}' must lie in the model's folder",
                                            output.label_filename)};
  }
  auto text = read_text(folder / relative);
  if (!text) return std::move(text).error();
  if (!*text) {
    return Error{Code::NotFound, fmt::format("label file {} of output '{}' cannot be read",
                                             (folder / relative).string(), output.name)};
  }
  output.labels = lines_of(**text);
  return {};
}

/// Gives the text of a file, if there is one, to `read`.
template <class Read>
Result<void> with_text(const fs::path& path, Read read) {
  auto text = read_text(path);
  if (!text) return std::move(text).error();
  return *text ? read(**text, path.string()) : Result<void>{};
}

Result<void> read_files(const fs::path& folder, ModelDefinition& out) {
  if (out.config_json) {
    return read_config_json(*out.config_json, "config", out.config, out.warnings);
  }
  INFINIEDGE_TRY(with_text(folder / "config.pbtxt", [&](const auto& text, const auto& path) {
    return read_config_pbtxt(text, path, out.config, out.warnings);
  }));
  return with_text(folder / "model.yaml", [&](const auto& text, const auto& path) {
    return read_model_yaml(text, path, out.config);
  });
}

/// Bytes that sequences start from: <model>/initial_state/<file>.
Result<void> read_initial_states(const fs::path& folder, ModelConfig& config) {
  if (!config.sequences) return {};
  for (auto& state : config.sequences->states) {
    if (state.file.empty()) continue;
    const auto path = folder / "initial_state" / state.file;
    if (state.file.find('/') != std::string::npos || state.file.starts_with('.')) {
      return Error{Code::Invalid, fmt::format("initial state '{}' must be a plain file name in {}",
                                              state.file, path.parent_path().string())};
    }
    auto bytes = read_text(path);
    if (!bytes) return std::move(bytes).error();
    if (!*bytes) {
      return Error{Code::NotFound,
                   fmt::format("{}, which sequences start from, does not exist", path.string())};
    }
    state.initial = std::move(**bytes);
  }
  return {};
}

/// An ensemble has no runtime; the other models have exactly one.
Result<void> settle(ModelConfig& config, const fs::path& version) {
  if (config.is_ensemble() != (config.platform == kEnsemble)) {
    return Error{Code::Invalid, fmt::format("model '{}': platform \"ensemble\" and "
                                            "ensemble_scheduling with its steps go together",
                                            config.name)};
  }
  if (config.is_ensemble()) return {};
  return settle_runtime(config, version);
}

fs::path newest_version(const fs::path& folder) {
  std::int64_t newest = 1;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    newest = std::max(newest, version_of(entry.path().filename().string()).value_or(1));
  }
  return folder / std::to_string(newest);
}

Result<void> find_versions(const fs::path& folder, ModelDefinition& out) {
  std::vector<std::int64_t> present;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.is_directory(error)) continue;
    const auto name = entry.path().filename().string();
    if (const auto version = version_of(name)) {
      present.push_back(*version);
    } else if (name != "configs" && name != "warmup" && name != "initial_state" &&
               name != "golden") {
      out.warnings.push_back(fmt::format("{} is no version and is ignored", entry.path().string()));
    }
  }
  // An ensemble's version folder is empty, and so may be missing.
  if (out.config.is_ensemble() && present.empty()) present.push_back(1);
  const auto file = [&](std::int64_t version) {
    return folder / std::to_string(version) / out.config.default_model_filename;
  };
  for (const auto version : chosen(out.config.versions, present))
    out.files[version] = file(version);
  if (out.config.versions.kind == VersionPolicy::Kind::Latest) {
    for (const auto version : present) {
      if (!out.files.contains(version)) out.older[version] = file(version);
    }
  }
  if (out.files.empty()) {
    return Error{Code::NotFound,
                 fmt::format("{} has no version that its policy admits; put the model into {}/1/{}",
                             folder.string(), folder.string(), out.config.default_model_filename)};
  }
  return {};
}

}  // namespace

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' && name != "stats" &&
         name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789._-") == std::string_view::npos;
}

std::vector<std::string> Repository::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory(error) && is_model_name(name)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool Repository::has(const std::string& name) const {
  std::error_code error;
  return is_model_name(name) && fs::is_directory(root_ / name, error);
}

Result<ModelDefinition> Repository::read(const std::string& name) const {
  if (has(name)) return read_model(root_ / name, name);
  return Error{Code::NotFound,
               fmt::format("no model '{}' in the repository {}", name, root_.string())};
}

Result<ModelDefinition> read_model(const fs::path& folder, const std::string& name,
                                   const std::optional<std::string>& config_json) {
  ModelDefinition out{
      .config = {.name = name}, .files = {}, .folder = folder, .config_json = config_json};
  INFINIEDGE_TRY(read_files(folder, out));
  if (out.config.name != name) {
    return Error{Code::Invalid, fmt::format("the configuration in {} calls the model '{}'; the "
                                            "folder's name decides, '{}'",
                                            folder.string(), out.config.name, name)};
  }
  INFINIEDGE_TRY(settle(out.config, newest_version(folder)));
  INFINIEDGE_TRY(read_initial_states(folder, out.config));
  for (auto& output : out.config.outputs) {
    if (!output.label_filename.empty()) INFINIEDGE_TRY(read_labels(folder, output));
  }
  INFINIEDGE_TRY(with_text(folder / "labels.txt", [&](const auto& text, const auto&) {
    out.config.classes = lines_of(text);
    return Result<void>{};
  }));
  INFINIEDGE_TRY(find_versions(folder, out));
  return out;
}

Result<ModelDefinition> read_override(const std::optional<Repository>& repository,
                                      const fs::path& staging, const std::string& name,
                                      const LoadOverride& given) {
  if (!is_model_name(name)) {
    return Error{Code::Invalid, fmt::format("'{}' cannot be the name of a model", name)};
  }
  if (!given.config) {
    return Error{Code::Invalid, "override files need a 'config' parameter beside them"};
  }
  if (given.files.empty()) {
    if (repository && repository->has(name)) {
      return read_model(repository->root() / name, name, given.config);
    }
    return Error{Code::NotFound, fmt::format("no model '{}' in the repository, and no file: with "
                                             "the configuration",
                                             name)};
  }
  auto staged = StagedFiles::write(staging, given.files);
  if (!staged) return std::move(staged).error();
  auto out = read_model((*staged)->folder(), name, given.config);
  if (out) out->staged = std::move(*staged);
  return out;
}

ModelDefinition define_file(std::string name, std::filesystem::path file,
                            std::vector<std::string> classes) {
  ModelDefinition out{.config = {.name = std::move(name)}, .files = {}};
  out.config.default_model_filename = file.filename().string();
  (void)settle_runtime(out.config, {});  // By the extension; such a name is never refused.
  out.config.classes = std::move(classes);
  out.files[1] = std::move(file);
  return out;
}

}  // namespace infiniedge::model
