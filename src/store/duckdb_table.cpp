// SPDX-License-Identifier: Apache-2.0
#include "store/duckdb_table.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#ifndef INFINIEDGE_DUCKDB_LIBRARY
#define INFINIEDGE_DUCKDB_LIBRARY ""
#endif

namespace infiniedge::store::duck {
namespace {

constexpr std::string_view kHowTo =
    "run scripts/setup, or set INFINIEDGE_DUCKDB to the path of libduckdb.so (1.4 or newer)";

/// "v1.5.6" → whether we may use it.
bool acceptable(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0, minor = 0;
  if (std::sscanf(std::string(version).c_str(), "%d.%d", &major, &minor) != 2) return false;
  return (major == 1 && minor >= 4) || major == 2;
}

Result<std::unique_ptr<const Api>> open_library(const std::string& path) {
  // RTLD_LOCAL: the library's own copies of zstd and others must not meet ours.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{Code::Unavailable, fmt::format("cannot open {}: {}; {}", path, dlerror(), kHowTo)};
  }
  auto api = std::make_unique<Api>();
  std::string missing;
#define INFINIEDGE_DUCKDB_LOAD(result, name, parameters)                               \
  api->name = reinterpret_cast<result(*) parameters>(dlsym(library, "duckdb_" #name)); \
  if (api->name == nullptr) missing = "duckdb_" #name;
  INFINIEDGE_DUCKDB_FUNCTIONS(INFINIEDGE_DUCKDB_LOAD)
#undef INFINIEDGE_DUCKDB_LOAD
  const std::string version = api->library_version != nullptr ? api->library_version() : "?";
  if (!missing.empty() || !acceptable(version)) {
    dlclose(library);
    return Error{Code::Unavailable,
                 missing.empty()
                     ? fmt::format("{} is DuckDB {}; 1.4 or newer, below 3, is needed; {}", path,
                                   version, kHowTo)
                     : fmt::format("{} lacks {}; {}", path, missing, kHowTo)};
  }
  return std::unique_ptr<const Api>(std::move(api));
}

}  // namespace

std::vector<std::string> library_candidates() {
  if (const char* chosen = std::getenv("INFINIEDGE_DUCKDB"); chosen != nullptr && *chosen != '\0') {
    return {chosen};
  }
  std::vector<std::string> candidates;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    candidates.push_back(
        (program.parent_path().parent_path() / "lib/infiniedge/libduckdb.so").string());
  }
  if (*INFINIEDGE_DUCKDB_LIBRARY != '\0') candidates.emplace_back(INFINIEDGE_DUCKDB_LIBRARY);
  return candidates;
}

Result<const Api*> load(std::span<const std::string> candidates) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<const Api>> loaded;
  const std::scoped_lock lock(mutex);
  for (const std::string& path : candidates) {
    if (const auto known = loaded.find(path); known != loaded.end()) return known->second.get();
    if (access(path.c_str(), R_OK) != 0) continue;
    auto api = open_library(path);
    if (!api) return std::move(api).error();
    return (loaded[path] = std::move(*api)).get();
  }
  std::string tried;
  for (const std::string& path : candidates) tried += (tried.empty() ? "" : ", ") + path;
  return Error{Code::Unavailable,
               fmt::format("DuckDB is not installed (looked at {}): SQL and Parquet are off; {}",
                           tried.empty() ? "nothing" : tried, kHowTo)};
}

Result<const Api*> load() { return load(library_candidates()); }

}  // namespace infiniedge::store::duck

// Read by ThreadSanitizer's run time alone: DuckDB is not built with it, so it sees the library's
// threads but none of the locks between them.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libduckdb.so\nrace:libduckdb.so\nmutex:libduckdb.so\n";
}
