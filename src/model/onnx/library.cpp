// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

namespace infiniedge::model::onnx {
namespace {

constexpr auto kInstall =
    "run scripts/setup, or set INFINIEDGE_ONNXRUNTIME to a libonnxruntime.so of version 1.16 or "
    "newer";

Code code_of(int status) {
  switch (static_cast<OrtCode>(status)) {
    case OrtCode::InvalidArgument:
    case OrtCode::InvalidProtobuf:
    case OrtCode::InvalidGraph:
    case OrtCode::NoModel:
      return Code::Invalid;
    case OrtCode::NoSuchFile:
      return Code::NotFound;
    case OrtCode::NotImplemented:
    case OrtCode::ProviderFail:
      return Code::Unsupported;
    default:
      return Code::Internal;
  }
}

/// The N of "1.N.p", or nothing.
std::optional<std::uint32_t> minor_of(std::string_view version) {
  if (!version.starts_with("1.")) return std::nullopt;
  std::uint32_t minor = 0;
  const auto* end = version.data() + version.size();
  const auto [stop, error] = std::from_chars(version.data() + 2, end, minor);
  if (error != std::errc{} || stop == end || *stop != '.') return std::nullopt;
  return minor;
}

Result<void*> open_first(const std::string& exact, std::string& found) {
  const auto places = exact.empty() ? search_path() : std::vector{exact};
  std::string reason = "no such file";
  for (const auto& place : places) {
    std::error_code ignored;
    if (!std::filesystem::exists(place, ignored)) continue;
    if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      found = place;
      return handle;
    }
    const char* text = dlerror();
    reason = text != nullptr ? text : "dlopen failed";
  }
  return Error{Code::Unavailable,
               fmt::format("ONNX Runtime cannot be loaded ({}; looked at {}): {}", reason,
                           fmt::join(places, ", "), kInstall)};
}

}  // namespace

std::vector<std::string> search_path() {
  if (const char* exact = std::getenv("INFINIEDGE_ONNXRUNTIME"); exact != nullptr && *exact != 0) {
    return {exact};
  }
  std::vector<std::string> places;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto prefix = self.parent_path().parent_path();
    places.push_back((prefix / "lib/infiniedge/libonnxruntime.so").string());
  }
  places.push_back(INFINIEDGE_DEPS_DIR "/onnxruntime/libonnxruntime.so");
  return places;
}

Result<LibraryPtr> Library::load(const Options& options) {
  std::shared_ptr<Library> library(new Library);
  library->pool_threads_ = std::max(1, options.pool_threads);
  auto handle = open_first(options.path, library->path_);
  if (!handle) return std::move(handle).error();
  INFINIEDGE_TRY(library->open_table(*handle));
  INFINIEDGE_TRY(library->make_environment());
  return LibraryPtr{std::move(library)};
}

Result<void> Library::open_table(void* handle) {
  using GetBase = const OrtApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) {
    return Error{Code::Unavailable, fmt::format("{} is not ONNX Runtime: {}", path_, kInstall)};
  }
  const OrtApiBase* base = get_base();
  version_ = base->get_version_string();
  // Asking for more than the library has returns null and prints to stderr: read N first.
  const auto minor = minor_of(version_);
  if (!minor || *minor < kOldest) {
    return Error{Code::Unavailable,
                 fmt::format("{} is ONNX Runtime {}, which is too old or unknown: {}", path_,
                             version_, kInstall)};
  }
  table_ = base->get_api(kOldest);
  if (table_ == nullptr) {
    return Error{Code::Unavailable,
                 fmt::format("{} ({}) has no API {}: {}", path_, version_, kOldest, kInstall)};
  }
  for (const auto slot : kUsed) {
    if (slot >= kSlots || table_[slot] == nullptr) {
      return Error{Code::Unavailable, fmt::format("{} ({}) lacks function {} of its table: {}",
                                                  path_, version_, slot, kInstall)};
    }
  }
  return {};
}

namespace {

/// The runtime's own threads carry no name; in a list of threads one wants to know whose they are.
struct PoolThread {
  std::thread thread;
};

void* start_pool_thread(void*, void (*work)(void*), void* parameter) {
  auto out = std::make_unique<PoolThread>();
  out->thread = std::thread([work, parameter] {
    pthread_setname_np(pthread_self(), "onnx-pool");
    work(parameter);
  });
  return out.release();
}

void join_pool_thread(const void* handle) {
  const std::unique_ptr<PoolThread> thread(static_cast<PoolThread*>(const_cast<void*>(handle)));
  thread->thread.join();
}

}  // namespace

Result<void> Library::make_environment() {
  Owned<OrtThreadingOptions, ReleaseThreadingOptions> options(*this);
  INFINIEDGE_TRY(call<CreateThreadingOptions>(options.out()));
  INFINIEDGE_TRY(call<SetGlobalIntraOpNumThreads>(options.get(), pool_threads_));
  INFINIEDGE_TRY(call<SetGlobalInterOpNumThreads>(options.get(), 1));
  // Spinning doubles the latency on a machine whose cores are all wanted.
  INFINIEDGE_TRY(call<SetGlobalSpinControl>(options.get(), 0));
  if (pool_threads_ > 1) {
    INFINIEDGE_TRY(call<SetGlobalCreateThread>(options.get(), &start_pool_thread));
    INFINIEDGE_TRY(call<SetGlobalThreadOptions>(options.get(), static_cast<void*>(nullptr)));
    INFINIEDGE_TRY(call<SetGlobalJoinThread>(options.get(), &join_pool_thread));
  }
  INFINIEDGE_TRY(
      call<CreateEnvWithGlobalThreadPools>(kLogFatal, "infiniedge", options.get(), &env_));
  INFINIEDGE_TRY(call<CreateCpuMemoryInfo>(kArenaAllocator, kDefaultMemory, &memory_));
  // One arena for all sessions, instead of one for each that only grows.
  INFINIEDGE_TRY(call<CreateAndRegisterAllocator>(env_, static_cast<const OrtMemoryInfo*>(memory_),
                                                  static_cast<const OrtArenaCfg*>(nullptr)));
  return call<GetAllocatorWithDefaultOptions>(&allocator_);
}

Error Library::failure(OrtStatus* status) const {
  Error error{code_of(raw<GetErrorCode>(static_cast<const OrtStatus*>(status))),
              raw<GetErrorMessage>(static_cast<const OrtStatus*>(status))};
  raw<ReleaseStatus>(status);
  return error;
}

Library::~Library() {
  if (memory_ != nullptr) raw<ReleaseMemoryInfo>(memory_);
  if (env_ != nullptr) raw<ReleaseEnv>(env_);
}

}  // namespace infiniedge::model::onnx
