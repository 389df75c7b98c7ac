// SPDX-License-Identifier: Apache-2.0
#include "model/plugin/backend.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "model/plugin/executable.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model::plugin {
namespace {

namespace fs = std::filesystem;

/// A plugin is code that runs as us: only root or our own user may be able to change it.
Result<void> check_ownership(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return Error{Code::NotFound, fmt::format("{} does not exist", path.string())};
  }
  const bool ours = status.st_uid == 0 || status.st_uid == ::geteuid();
  if (ours && (status.st_mode & S_IWOTH) == 0) return {};
  return Error{
      Code::Denied,
      fmt::format("{} can be changed by others: give it to root or to the node's user, and "
                  "run chmod o-w on it",
                  path.string())};
}

bool is_word(const char* text, std::string_view letters) {
  if (text == nullptr) return false;
  const std::string_view word = text;
  return !word.empty() && word.size() <= 64 && word.front() != '.' &&
         word.find_first_not_of(letters) == std::string_view::npos;
}

Result<void> check_table(const infiniedge_backend* table, const std::string& path) {
  const auto refuse = [&path](std::string_view what) {
    return Error{Code::Unavailable, fmt::format("plugin {} {}: build it against this version's "
                                                "infiniedge/backend.h",
                                                path, what)};
  };
  if (table == nullptr) {
    return refuse(
        fmt::format("does not work with interface version {}", INFINIEDGE_BACKEND_VERSION));
  }
  if (table->version != INFINIEDGE_BACKEND_VERSION) {
    return refuse(fmt::format("has interface version {}, and this node has {}", table->version,
                              INFINIEDGE_BACKEND_VERSION));
  }
  if (table->size < sizeof(infiniedge_backend)) {
    return refuse(fmt::format("has a table of {} bytes instead of {}", table->size,
                              sizeof(infiniedge_backend)));
  }
  if (!is_word(table->name, "abcdefghijklmnopqrstuvwxyz0123456789_-")) {
    return refuse("has no name of the letters a-z, 0-9, _ and -");
  }
  if (!is_word(table->default_filename,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")) {
    return refuse("has no plain default_filename");
  }
  if (table->probe == nullptr || table->load == nullptr || table->describe == nullptr ||
      table->instance == nullptr || table->run == nullptr || table->release_instance == nullptr ||
      table->release_model == nullptr) {
    return refuse("leaves a function of its table empty");
  }
  return {};
}

Result<infiniedge_backend_entry_function> entry_of(const fs::path& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* text = dlerror();
    return Error{Code::Unavailable, fmt::format("plugin {} cannot be loaded: {}", file.string(),
                                                text != nullptr ? text : "dlopen failed")};
  }
  void* entry = dlsym(handle, INFINIEDGE_BACKEND_ENTRY);
  if (entry != nullptr) return reinterpret_cast<infiniedge_backend_entry_function>(entry);
  return Error{Code::Unavailable, fmt::format("{} is no backend: it does not export {}",
                                              file.string(), INFINIEDGE_BACKEND_ENTRY)};
}

}  // namespace

Result<std::unique_ptr<Backend>> Backend::open(const fs::path& file) {
  INFINIEDGE_TRY(check_ownership(file));
  auto entry = entry_of(file);
  if (!entry) return std::move(entry).error();
  const auto* table = (*entry)(INFINIEDGE_BACKEND_VERSION);
  INFINIEDGE_TRY(check_table(table, file.string()));
  Complaint complaint;
  auto probed = complaint.result(table->probe(complaint.out()), table->name);
  if (!probed) {
    return Error{Code::Unavailable,
                 fmt::format("plugin {} cannot work on this machine", file.string()),
                 std::move(probed).error()};
  }
  return std::unique_ptr<Backend>(new Backend(table));
}

Result<std::unique_ptr<Executable>> Backend::load(const fs::path& file, const Options& options) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return Error{Code::NotFound, fmt::format("model file {} does not exist", file.string())};
  }
  std::vector<infiniedge_parameter> parameters;
  for (const auto& [key, value] : options.parameters) {
    parameters.push_back({key.c_str(), value.c_str()});
  }
  const infiniedge_load_options given{
      sizeof(infiniedge_load_options), options.threads, options.instances,
      static_cast<std::uint32_t>(parameters.size()), parameters.data()};
  auto loaded = std::make_shared<Loaded>(table_);
  Complaint complaint;
  INFINIEDGE_TRY(complaint.result(
      table_->load(file.c_str(), &given, &loaded->model, complaint.out()), table_->name));
  if (loaded->model == nullptr) {
    return Error{Code::Internal, fmt::format("plugin '{}' loads {} and returns no model",
                                             table_->name, file.string())};
  }
  INFINIEDGE_TRY(describe(*loaded));
  return make_executable(std::move(loaded));
}

std::vector<std::unique_ptr<infiniedge::Backend>> open_folder(const fs::path& folder) {
  std::vector<std::unique_ptr<infiniedge::Backend>> out;
  const auto skip = [](const Error& error) {
    runtime::log(runtime::Level::Warning, "model", "plugin not used",
                 {{"reason", error.describe()}});
  };
  std::error_code error;
  if (!fs::is_directory(folder, error)) return out;
  if (auto owned = check_ownership(folder); !owned) {
    skip(owned.error());
    return out;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    auto backend = Backend::open(file);
    if (!backend) {
      skip(backend.error());
      continue;
    }
    runtime::log(runtime::Level::Info, "model", "plugin loaded",
                 {{"backend", std::string{(*backend)->name()}}, {"path", file.string()}});
    out.push_back(std::move(*backend));
  }
  return out;
}

}  // namespace infiniedge::model::plugin
